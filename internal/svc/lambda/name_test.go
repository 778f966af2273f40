package lambda

import (
	"os"
	"testing"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/iam"
)

func TestRefer(t *testing.T) {
	c := &api.Call{Region: "us-east-1", Account: "000000000000", Principal: iam.User("me"), Op: &api.Op{Name: "GetFunction"}}
	const arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
	for _, tt := range []struct{ text, qualifier, arn, err string }{
		{"f", "", arn, ""},
		{"f:$LATEST", "", arn + ":$LATEST", ""},
		{"f", "$LATEST", arn + ":$LATEST", ""},
		{"f:$LATEST", "$LATEST", arn + ":$LATEST", ""},
		{"function:f", "", arn, ""},
		{"000000000000:function:f", "", arn, ""},
		{"000000000000:function:f:$LATEST", "", arn + ":$LATEST", ""},
		{arn, "", arn, ""},
		{arn + ":$LATEST", "", arn + ":$LATEST", ""},
		{"f:$LATEST", "1", "", "InvalidParameterValueException: The derived qualifier from the function name does not match the specified qualifier."},
		{"f:7", "", "", "ResourceNotFoundException: Function not found: " + arn + ":7"},
		{"arn:aws:lambda:eu-west-1:000000000000:function:f", "", "", "ResourceNotFoundException: Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"},
		{"111111111111:function:f", "", "", "AccessDeniedException: User: arn:aws:iam::000000000000:user/me is not authorized to perform: lambda:GetFunction on resource: " +
			"arn:aws:lambda:us-east-1:111111111111:function:f because no resource-based policy allows the lambda:GetFunction action"},
	} {
		var qualifier *string
		if tt.qualifier != "" {
			qualifier = &tt.qualifier
		}
		r, err := refer(c, tt.text, qualifier)
		switch {
		case tt.err != "" && (err == nil || err.Error() != tt.err):
			t.Errorf("%s: %v, want %s", tt.text, err, tt.err)
		case tt.err == "" && (err != nil || r.arn() != tt.arn):
			t.Errorf("%s: %s, %v; want %s", tt.text, r.arn(), err, tt.arn)
		}
	}
}

// TestEnvironment: of the server's environment functions see little, and what is Lambda's they cannot change.
func TestEnvironment(t *testing.T) {
	t.Setenv("GRAMME_KEYS", "a:secret")
	t.Setenv("AWS_PROFILE", "mine")
	h := &host{cfg: Config{Endpoint: "http://127.0.0.1:1", Credentials: iam.Key{ID: "K", Secret: "S"}}}
	f := &function{Region: "mars", Name: "f", Revision: "r", Settings: settings{
		Handler: "a.b", Runtime: "python3.12", Memory: 256, Environment: map[string]string{"TZ": "CET", "MINE": "1"},
	}}
	got := map[string]string{}
	for _, v := range h.environment(f) {
		for i := range v {
			if v[i] == '=' {
				got[v[:i]] = v[i+1:]
				break
			}
		}
	}
	for name, want := range map[string]string{
		"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_REGION": "mars", "AWS_DEFAULT_REGION": "mars", "AWS_ACCESS_KEY_ID": "K",
		"AWS_SECRET_ACCESS_KEY": "S", "_HANDLER": "a.b", "AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
		"AWS_EXECUTION_ENV": "AWS_Lambda_python3.12", "TZ": "CET", "MINE": "1", "PATH": os.Getenv("PATH"),
	} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
	for _, name := range []string{"GRAMME_KEYS", "AWS_PROFILE"} {
		if _, ok := got[name]; ok {
			t.Errorf("functions see %s", name)
		}
	}
}
