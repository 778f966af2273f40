package wire

import (
	"testing"

	"github.com/grammedb/gramme/internal/api"
)

func TestQuery(t *testing.T) {
	type in struct{ Ignored *string }
	type out struct{ Name, Absent, Text *string }
	op := api.Define[in, out]("Say", nil)
	q := Query{Namespace: "https://echo.example/doc/1/", RequestID: "ID"}

	got, err := q.Decode(op, []byte("Action=Say&Other=1"))
	if err != nil || *got.(*in) != (in{}) {
		t.Errorf("Decode = %v, %v", got, err)
	}

	name, text := "a", `<b> & "c"`
	const wantOutput = "# " + `<SayResponse xmlns="https://echo.example/doc/1/"><SayResult><Name>a</Name>
<Text>&lt;b&gt; &amp; &#34;c&#34;</Text>
</SayResult>
<ResponseMetadata><RequestId>ID</RequestId>
</ResponseMetadata>
</SayResponse>
`
	if got := string(q.AppendOutput([]byte("# "), op, &out{Name: &name, Text: &text})); got != wantOutput {
		t.Errorf("output\n%s\nwant\n%s", got, wantOutput)
	}

	const wantError = `<ErrorResponse xmlns="https://echo.example/doc/1/"><Error><Type>Sender</Type>
<Code>InvalidAction</Code>
<Message>no &lt;x&gt;</Message>
</Error>
<RequestId>ID</RequestId>
</ErrorResponse>
`
	if got := string(q.AppendError(nil, &api.Error{Code: "InvalidAction", Status: 400, Message: "no <x>"})); got != wantError {
		t.Errorf("error\n%s\nwant\n%s", got, wantError)
	}
	const wantFault = `<ErrorResponse><Error><Type>Receiver</Type>
<Code>InternalFailure</Code>
<Message></Message>
</Error>
<RequestId></RequestId>
</ErrorResponse>
`
	if got := string(Query{}.AppendError(nil, &api.Error{Code: "InternalFailure", Status: 500})); got != wantFault {
		t.Errorf("fault\n%s\nwant\n%s", got, wantFault)
	}
}
