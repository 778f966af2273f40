package client

import (
	"bytes"
	"errors"
	"strconv"
)

// A Response is an HTTP/1.1 response as far as it has been read. Its bytes are those of the buffer that was parsed.
type Response struct {
	Status int
	Head   []byte // status line and headers
	Body   []byte // complete, chunk framing removed
	Close  bool   // the server ends the connection after it
	Total  int    // bytes that the response took in the buffer
	CRC32  []byte // what the server says about the body, in decimal; nil: nothing
}

// ErrMalformed is the error for what is not HTTP.
var ErrMalformed = errors.New("malformed response")

// Parse looks for one complete response at the start of buf. eof says that no more will come. ok is false while more bytes
// are needed; need is then the size of the whole response where that is known already.
func (r *Response) Parse(buf []byte, eof bool) (ok bool, need int, err error) {
	end := bytes.Index(buf, []byte("\r\n\r\n"))
	if end < 0 {
		if len(buf) > 1<<16 {
			return false, 0, ErrMalformed
		}
		return false, 0, nil
	}
	length, chunked, err := r.parseHead(buf[:end+2])
	if err != nil {
		return false, 0, err
	}
	head := end + 4
	rest := buf[head:]
	switch {
	case chunked:
		body, n, done, err := dechunk(rest)
		if err != nil || !done {
			return false, 0, err
		}
		r.Body, r.Total = body, head+n
		return true, 0, nil
	case length >= 0:
		if len(rest) < length {
			return false, head + length, nil
		}
		r.Body, r.Total = rest[:length], head+length
		return true, 0, nil
	case eof:
		r.Body, r.Total, r.Close = rest, len(buf), true
		return true, 0, nil
	}
	return false, 0, nil
}

// parseHead reads the status line and the headers that matter. length is -1 if it is not said.
func (r *Response) parseHead(head []byte) (length int, chunked bool, err error) {
	if len(head) < 12 || string(head[:7]) != "HTTP/1." {
		return 0, false, ErrMalformed
	}
	*r = Response{Status: int(head[9]-'0')*100 + int(head[10]-'0')*10 + int(head[11]-'0'), Head: head, Close: head[7] == '0'}
	length = -1
	lines := head[bytes.IndexByte(head, '\n')+1:]
	for len(lines) > 0 {
		nl := bytes.IndexByte(lines, '\n')
		line := lines[:max(0, nl-1)]
		lines = lines[nl+1:]
		if len(line) == 0 {
			return 0, false, ErrMalformed
		}
		switch line[0] | 0x20 {
		case 'c':
			if v, is := header(line, "content-length"); is {
				length, err = strconv.Atoi(string(v))
				if err != nil || length < 0 {
					return 0, false, ErrMalformed
				}
			} else if v, is := header(line, "connection"); is {
				r.Close = bytes.EqualFold(v, []byte("close"))
			}
		case 't':
			if v, is := header(line, "transfer-encoding"); is {
				chunked = bytes.EqualFold(v, []byte("chunked"))
			}
		case 'x':
			if v, is := header(line, "x-amz-crc32"); is {
				r.CRC32 = v
			}
		}
	}
	return length, chunked, nil
}

// Header returns the value of the header of that name, in lower case; "" if there is none.
func (r *Response) Header(name string) string {
	for line := range bytes.SplitSeq(r.Head, []byte("\r\n")) {
		if v, is := header(line, name); is {
			return string(v)
		}
	}
	return ""
}

// header returns the value of line if its name is name (in lower case).
func header(line []byte, name string) ([]byte, bool) {
	if len(line) <= len(name) || line[len(name)] != ':' || !bytes.EqualFold(line[:len(name)], []byte(name)) {
		return nil, false
	}
	return bytes.TrimSpace(line[len(name)+1:]), true
}

// dechunk decodes a chunked body; n is how many bytes it took.
func dechunk(b []byte) (body []byte, n int, done bool, err error) {
	for {
		nl := bytes.Index(b[n:], []byte("\r\n"))
		if nl < 0 {
			return nil, 0, false, nil
		}
		field := b[n : n+nl]
		if i := bytes.IndexByte(field, ';'); i >= 0 {
			field = field[:i]
		}
		size, err := strconv.ParseUint(string(bytes.TrimSpace(field)), 16, 31)
		if err != nil {
			return nil, 0, false, ErrMalformed
		}
		n += nl + 2
		if len(b) < n+int(size)+2 {
			return nil, 0, false, nil
		}
		body = append(body, b[n:n+int(size)]...)
		n += int(size) + 2
		if size == 0 {
			return body, n, true, nil
		}
	}
}
