// Package iam knows who may call: access keys and the principals they stand for.
package iam

// Account is the one account that everybody belongs to, whatever the access key: tables must not vanish because somebody
// changed a dummy key.
const Account = "000000000000"

// A Principal is an authenticated caller.
type Principal struct {
	AccessKey string
	ARN       string // arn:aws:iam::000000000000:user/x
	UserID    string
	Account   string
}

// User returns the principal that an access key stands for: a user of that name.
func User(accessKey string) Principal {
	return Principal{
		AccessKey: accessKey,
		ARN:       "arn:aws:iam::" + Account + ":user/" + accessKey,
		UserID:    accessKey,
		Account:   Account,
	}
}
