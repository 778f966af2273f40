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

// System is the principal of the server's own parts. Its account is a namespace that no access key belongs to.
func System() Principal {
	return Principal{ARN: "arn:aws:iam::system:root", UserID: "system", Account: "system"}
}

// Service returns the principal of an AWS service that acts for a user, such as lambda.amazonaws.com.
func Service(name string) Principal { return Principal{ARN: name, UserID: name, Account: Account} }

// User returns the principal that an access key stands for: a user of that name.
func User(accessKey string) Principal {
	return Principal{
		AccessKey: accessKey,
		ARN:       "arn:aws:iam::" + Account + ":user/" + accessKey,
		UserID:    accessKey,
		Account:   Account,
	}
}
