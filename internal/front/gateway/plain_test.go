package gateway

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestPlainHTTP: who forgets the s of https is told so, also with a request that is larger than one read.
func TestPlainHTTP(t *testing.T) {
	lender := httptest.NewTLSServer(nil)
	defer lender.Close()
	e := run(t, newGateway(Config{}, io.Discard), ServerConfig{TLS: &tls.Config{Certificates: lender.TLS.Certificates}})
	for _, body := range []string{"", hello, strings.Repeat("x", 300_000)} {
		resp, err := e.client.Post(e.url, "application/x-amz-json-1.0", strings.NewReader(body))
		if err != nil {
			t.Errorf("%d bytes: %v", len(body), err)
			continue
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusBadRequest || string(text) != "Client sent an HTTP request to an HTTPS server.\n" {
			t.Errorf("%d bytes: %d %q, %v", len(body), resp.StatusCode, text, err)
		}
	}
}
