// Package iam knows who may call: access keys and the principals they stand for.
package iam

// A Principal is an authenticated caller.
type Principal struct {
	AccessKey string
	ARN       string // arn:aws:iam::000000000000:user/x
	UserID    string
	Account   string
}
