package lambda

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"runtime"

	"github.com/grammedb/gramme/internal/lib/unzip"
)

// maxUnzipped is the size of the largest code.
const maxUnzipped = 250 << 20

// maxURL is the length of the longest URL of an emulator.
const maxURL = 2048

// sent is the code that a request brings.
type sent struct {
	zip           []byte
	s3, imageURI  *string
	architectures []string
	image         bool // the function is one of PackageType Image
}

// check reads the code that was sent. The zip archive is not kept yet.
func (c *sent) check() (code, error) {
	out := code{Architecture: ourArchitecture()}
	if len(c.architectures) > 0 {
		out.Architecture = c.architectures[0]
	}
	switch {
	case c.s3 != nil:
		return out, invalid("Gramme has no S3 to take code from: send it as ZipFile.")
	case c.image:
		return out, c.checkURL(&out)
	case c.imageURI != nil:
		return out, invalid("Please don't provide ImageUri when creating or updating a function with packageType Zip.")
	case len(c.zip) == 0:
		return out, invalid("Please provide a source for function code.")
	}
	_, err := unzip.Check(c.zip, maxUnzipped)
	var bad *unzip.EntryError
	switch {
	case errors.Is(err, unzip.ErrEmpty):
		return out, invalid("Uploaded file must be a non-empty zip")
	case errors.Is(err, unzip.ErrTooLarge):
		return out, invalid("Unzipped size must be smaller than %d bytes", maxUnzipped)
	case errors.As(err, &bad):
		return out, invalid("Could not unzip uploaded file: %v. Please check your file, then try to upload again.", bad)
	case err != nil:
		return out, invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
	}
	sum := sha256.Sum256(c.zip)
	out.Size, out.SHA256 = int64(len(c.zip)), base64.StdEncoding.EncodeToString(sum[:])
	return out, nil
}

// checkURL takes the URL of a running emulator in the place of an image.
func (c *sent) checkURL(out *code) error {
	switch {
	case len(c.zip) > 0:
		return invalid("Please don't provide ZipFile when creating or updating a function with packageType Image.")
	case c.imageURI == nil:
		return invalid("Please provide ImageUri when creating a function with packageType Image.")
	}
	u, err := url.Parse(*c.imageURI)
	if err != nil || len(*c.imageURI) > maxURL || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return invalid("Gramme runs no container images: ImageUri is the URL of a running Lambda Runtime Interface Emulator, " +
			"such as http://127.0.0.1:9000.")
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/2015-03-31/functions/function/invocations"
	}
	out.URL = u.String()
	sum := sha256.Sum256([]byte(out.URL))
	out.SHA256 = base64.StdEncoding.EncodeToString(sum[:])
	return nil
}

func ourArchitecture() string {
	if runtime.GOARCH == "arm64" {
		return "arm64"
	}
	return "x86_64"
}

// keep stores a zip archive and notes where.
func (s *Service) keep(ctx context.Context, c *code, zip []byte) error {
	if c.URL != "" {
		return nil
	}
	c.Blob = newID()
	return s.state.putBlob(ctx, c.Blob, zip)
}

// forget removes code that no function has. What fails is left to the sweep at the next start.
func (s *Service) forget(ctx context.Context, c *code) {
	if c.Blob == "" {
		return
	}
	if err := s.state.removeBlob(context.WithoutCancel(ctx), c.Blob); err != nil {
		s.cfg.Logger.Warn("code that no function has stays until the next start", "error", err)
	}
}
