package workload

import "testing"

// FuzzAnswer: no answer of a server makes the client panic.
func FuzzAnswer(f *testing.F) {
	cfg := testConfig(FixedSize(400))
	for i, op := range Operations() {
		g, c := NewGenerator(cfg, uint64(i), 0), new(Cursor)
		op.Body(g, c, nil)
		f.Add(i, answers(cfg, op.Name, c))
	}
	f.Add(0, `{"UnprocessedKeys":{"t":{"Keys":[{}]}},"LastEvaluatedKey":{"pk":{"S":"}\"`)
	f.Fuzz(func(t *testing.T, n int, body string) {
		op := Operations()[uint(n)%uint(len(Operations()))]
		g, c := NewGenerator(cfg, 1, 0), new(Cursor)
		op.Body(g, c, nil)
		_ = g.CheckAnswer(op, c, []byte(body))
		if op.Answered != nil {
			op.Answered(c, []byte(body))
		}
		if rest := Remaining(op.Target, []byte(body)); rest != nil && (rest[0] != '{' || rest[len(rest)-1] != '}') {
			t.Errorf("the rest is %s", rest)
		}
		op.Body(g, c, nil)
	})
}
