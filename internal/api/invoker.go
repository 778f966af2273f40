package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/grammedb/gramme/internal/iam"
)

// An Invoker is the door by which parts of the server call its services: in the process, without the front, as a principal. The
// account of iam.System is a namespace of its own, which no client reaches: what parts of the server keep for themselves.
type Invoker struct {
	ops       map[string]target
	principal iam.Principal
	now       func() time.Time
}

// A target is an operation with its service.
type target struct {
	service *Service
	op      *Op
}

// NewInvoker makes an Invoker to the operations of services, whose names differ.
func NewInvoker(p iam.Principal, now func() time.Time, services ...*Service) *Invoker {
	i := &Invoker{ops: map[string]target{}, principal: p, now: now}
	for _, s := range services {
		for _, op := range s.Ops {
			i.ops[op.Name] = target{s, op}
		}
	}
	return i
}

// Invoke calls an operation in a region. in is what the operation takes: a pointer to a struct that the operation may keep. Errors of
// the service are *Error, as clients see them.
func Invoke[O any](ctx context.Context, i *Invoker, region, operation string, in any) (*O, error) {
	b, ok := i.ops[operation]
	if !ok {
		return nil, UnknownOperation()
	}
	if err := Validate(b.op, in); err != nil {
		return nil, err
	}
	out, err := b.op.Run(ctx, &Call{
		Service: b.service, Op: b.op, Region: region, Account: i.principal.Account, Principal: i.principal, Time: i.now(),
	}, in)
	if err != nil {
		return nil, b.translate(err)
	}
	o, ok := out.(*O)
	if !ok {
		return nil, fmt.Errorf("api: %s answers with %T", operation, out)
	}
	return o, nil
}

func (b target) translate(err error) error {
	if _, ok := errors.AsType[*Error](err); ok || b.service.Translate == nil {
		return err
	}
	if e := b.service.Translate(err); e != nil {
		return e
	}
	return err
}

// HasCode reports whether an error is the service's error of that code.
func HasCode(err error, code string) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == code
}
