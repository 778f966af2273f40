package client

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"net"
	"os"
	"strconv"
	"syscall"
)

// The codes of failures that have none from the service.
const (
	CodeTimeout     = "Timeout"
	CodeRefused     = "ConnectionRefused"
	CodeConnection  = "ConnectionLost"
	CodeUnprocessed = "Unprocessed" // part of a batch was not processed
	CodeCRC32       = "CRC32Mismatch"
	CodeWrong       = "WrongAnswer"
)

// ErrorCode returns the code in the body of a failed request, such as ThrottlingException; "" if there is none.
func ErrorCode(body []byte) string {
	b := after(body, `"__type"`)
	from := bytes.IndexByte(b, '"')
	if from < 0 {
		return ""
	}
	b = b[from+1:]
	to := bytes.IndexByte(b, '"')
	if to < 0 {
		return ""
	}
	b = b[:to]
	return string(b[bytes.LastIndexByte(b, '#')+1:])
}

// after returns what follows mark in b, nil if it is not there.
func after(b []byte, mark string) []byte {
	i := bytes.Index(b, []byte(mark))
	if i < 0 {
		return nil
	}
	return b[i+len(mark):]
}

// Code names the failure of an answer, "" for none: the service's code, or the status if it gives none.
func (r *Response) Code() string {
	if r.Status == 200 {
		return ""
	}
	if code := ErrorCode(r.Body); code != "" {
		return code
	}
	return "HTTP" + strconv.Itoa(r.Status)
}

// Retryable reports whether a request with this failed answer should be sent again after a while, as the AWS SDKs decide; a
// transaction that only met another one is among them.
func (r *Response) Retryable() bool {
	if r.Status >= 500 || r.Status == 429 {
		return true
	}
	switch ErrorCode(r.Body) {
	case "ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "LimitExceededException",
		"TransactionInProgressException", "TransactionConflictException", "RequestThrottled", "RequestThrottledException",
		"ThrottledException", "Throttling", "TooManyRequestsException", "InternalServerError", "ServiceUnavailable":
		return true
	case "TransactionCanceledException":
		return bytes.Contains(r.Body, []byte("TransactionConflict")) || bytes.Contains(r.Body, []byte("ThrottlingError"))
	}
	return false
}

// CheckCRC32 compares the body with the checksum that came with it. checked is false if there was none.
func (r *Response) CheckCRC32() (checked, good bool) {
	if r.CRC32 == nil {
		return false, true
	}
	want, err := strconv.ParseUint(string(r.CRC32), 10, 32)
	return true, err == nil && crc32.ChecksumIEEE(r.Body) == uint32(want)
}

// TransportCode names the failure of a connection.
func TransportCode(err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return CodeTimeout
	case errors.Is(err, syscall.ECONNREFUSED):
		return CodeRefused
	case errors.Is(err, ErrMalformed):
		return "MalformedResponse"
	}
	return CodeConnection
}
