package wire_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/lambda"
	"github.com/grammedb/gramme/internal/front/wire"
)

// A part is what stands beside the bodies.
type part struct {
	labels, headers map[string]string
	query           map[string][]string
	got             []string // status and headers of the answer
}

func (p *part) Label(name string) string     { return p.labels[name] }
func (p *part) Query(name string) []string   { return p.query[name] }
func (p *part) Header(name string) string    { return p.headers[name] }
func (p *part) SetStatus(status int)         { p.got = append(p.got, fmt.Sprint(status)) }
func (p *part) SetHeader(name, value string) { p.got = append(p.got, name+": "+value) }

// restOperation returns an operation of Lambda.
func restOperation(t *testing.T, name string) *api.Op {
	t.Helper()
	for _, o := range lambda.Operations() {
		if o.Name == name {
			return &api.Op{Name: name, In: o.In, Out: o.Out, Bind: api.Binding{Method: o.Method, URI: o.URI, Status: o.Status},
				New: func() any { return reflect.New(o.In).Interface() }}
		}
	}
	t.Fatalf("no operation %s", name)
	return nil
}

func TestRESTDecode(t *testing.T) {
	name := map[string]string{"FunctionName": "f"}
	for _, tt := range []struct {
		op   string
		part part
		body string
		want string // the input as a struct, or the error
	}{
		{"Invoke", part{labels: name, headers: map[string]string{"x-amz-log-type": "Tail"}}, "\x00raw",
			`{"FunctionName":"f","LogType":"Tail","Payload":"AHJhdw=="}`},
		{"Invoke", part{labels: name}, "", `{"FunctionName":"f","Payload":""}`},
		{"ListFunctions", part{query: map[string][]string{"MaxItems": {"12"}}}, "", `{"MaxItems":12}`},
		{"ListFunctions", part{query: map[string][]string{"MaxItems": {"twelve"}}}, "", "STRING_VALUE cannot be converted to Integer"},
		{"ListFunctions", part{query: map[string][]string{"MaxItems": {"9999999999"}}}, "", "STRING_VALUE cannot be converted to Integer"},
		{"UpdateFunctionCode", part{labels: name}, `{"ZipFile":"AAEC","DryRun":true,"FunctionName":"not this one"}`,
			`{"FunctionName":"f","ZipFile":"AAEC","DryRun":true}`},
		{"UpdateFunctionCode", part{labels: name}, `{"ZipFile":"!"}`, "STRING_VALUE cannot be converted to ByteBuffer"},
		{"UpdateFunctionCode", part{labels: name}, `{"ZipFile":7}`, "NUMBER_VALUE cannot be converted to ByteBuffer"},
		{"UpdateFunctionCode", part{labels: name}, `{`, "SerializationException"},
		{"CreateFunction", part{}, `{"Environment":[]}`, "Unrecognized collection type class Environment"},
		{"CreateFunction", part{}, ``, `{}`},
	} {
		op := restOperation(t, tt.op)
		got := ""
		in, err := wire.REST{HTTP: &tt.part}.Decode(op, []byte(tt.body))
		if err != nil {
			got = strings.TrimPrefix(err.Error(), "SerializationException: ")
		} else {
			got = inBody(in)
		}
		if got != tt.want {
			t.Errorf("%s %q: got %s, want %s", tt.op, tt.body, got, tt.want)
		}
	}
}

// inBody prints the members of a struct as if all stood in the body.
func inBody(in any) string {
	v := reflect.ValueOf(in).Elem()
	fields := make([]reflect.StructField, v.NumField())
	for i := range fields {
		fields[i] = v.Type().Field(i)
		fields[i].Tag = ""
	}
	plain := reflect.New(reflect.StructOf(fields))
	plain.Elem().Set(v.Convert(plain.Elem().Type()))
	op := &api.Op{Out: plain.Elem().Type()}
	return string(wire.Codec{}.AppendOutput(nil, op, plain.Interface()))
}

func TestRESTEncode(t *testing.T) {
	for _, tt := range []struct {
		op   string
		out  any
		body string
		head string
	}{
		{"Invoke", &lambda.InvocationResponse{Payload: []byte(`"yes"`), FunctionError: new("Unhandled"), ExecutedVersion: new("$LATEST")},
			`"yes"`, "200 X-Amz-Function-Error: Unhandled X-Amz-Executed-Version: $LATEST"},
		{"Invoke", &lambda.InvocationResponse{StatusCode: new(int64(202))}, ``, "200 202"},
		{"CreateFunction", &lambda.FunctionConfiguration{FunctionName: new("f"), CodeSize: new(int64(7)), Architectures: []string{"arm64"}},
			`{"FunctionName":"f","CodeSize":7,"Architectures":["arm64"]}`, "201"},
		{"DeleteFunction", &lambda.DeleteFunctionResponse{StatusCode: new(int64(204))}, ``, "200 204"},
		{"ListFunctions", &lambda.ListFunctionsResponse{Functions: []lambda.FunctionConfiguration{}}, `{"Functions":[]}`, "200"},
	} {
		var p part
		body := wire.REST{HTTP: &p}.AppendOutput(nil, restOperation(t, tt.op), tt.out)
		if head := strings.Join(p.got, " "); string(body) != tt.body || head != tt.head {
			t.Errorf("%s:\ngot  %s %s\nwant %s %s", tt.op, head, body, tt.head, tt.body)
		}
	}
}

func TestRESTError(t *testing.T) {
	type more struct {
		After  *string `at:"header:Retry-After"`
		Reason *string
	}
	for _, tt := range []struct {
		err  *api.Error
		body string
		head string
	}{
		{&api.Error{Space: api.SpaceModel, Code: "ResourceNotFoundException", Status: 404, Message: "gone", Upper: true},
			`{"Type":"User","Message":"gone"}`, "x-amzn-ErrorType: ResourceNotFoundException"},
		{&api.Error{Space: api.SpaceModel, Code: "ServiceException", Status: 500, Message: "oh"},
			`{"Type":"Service","message":"oh"}`, "x-amzn-ErrorType: ServiceException"},
		{api.Invalid("wrong"), `{"message":"wrong"}`, "x-amzn-ErrorType: ValidationException"},
		{api.Invalid("wrong").With(&more{new("1"), new("load")}), `{"message":"wrong","Reason":"load"}`,
			"x-amzn-ErrorType: ValidationException Retry-After: 1"},
		{api.Invalid("wrong").With(&more{}), `{"message":"wrong"}`, "x-amzn-ErrorType: ValidationException"},
	} {
		var p part
		body := wire.REST{HTTP: &p}.AppendError(nil, tt.err)
		if head := strings.Join(p.got, " "); string(body) != tt.body || head != tt.head {
			t.Errorf("got  %s %s\nwant %s %s", head, body, tt.head, tt.body)
		}
	}
}
