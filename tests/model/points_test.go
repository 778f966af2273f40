package model

func readUnits(size int, factor float64) units { return units{"": factor * blocks(size, 4096)} }

func mode(consistent bool) float64 {
	if consistent {
		return 1
	}
	return 0.5
}

func (m *model) get(op *Op) answer {
	t := m.tables[op.Table]
	if t == nil {
		return answer{Code: notFound}
	}
	key, ok, _ := t.exactKey(op.Item)
	if !ok {
		return answer{Code: invalid}
	}
	it := t.items[key]
	return answer{Item: show(encode(project(it, op.Project))), Units: bill(op, op.Table, readUnits(itemSize(it), mode(op.Consistent)))}
}

func (m *model) batchGet(op *Op) answer {
	seen := map[string]bool{}
	for i := range op.Ops {
		k := op.Ops[i].Table + string(encode(op.Ops[i].Item))
		if seen[k] {
			return answer{Code: invalid}
		}
		seen[k] = true
	}
	if m.missesTable(op) {
		return answer{Code: notFound}
	}
	a := answer{Tables: map[string][]string{}}
	sum := map[string]units{}
	for i := range op.Ops {
		o := &op.Ops[i]
		t := m.tables[o.Table]
		key, ok, _ := t.exactKey(o.Item)
		if !ok {
			return answer{Code: invalid}
		}
		it := t.items[key]
		addAll(sum, o.Table, readUnits(itemSize(it), 0.5))
		if a.Tables[o.Table] == nil {
			a.Tables[o.Table] = []string{}
		}
		if it != nil {
			a.Tables[o.Table] = append(a.Tables[o.Table], show(encode(project(it, op.Project))))
		}
	}
	a.Units = ifUnits(op, sum)
	return a
}

func (m *model) transactGet(op *Op) answer {
	if m.missesTable(op) {
		return answer{Code: notFound}
	}
	effects, stop := m.planAll(op)
	if stop != nil {
		return *stop
	}
	a := answer{}
	sum := map[string]units{}
	for i := range effects {
		e, o := &effects[i], &op.Ops[i]
		it := e.table.items[e.key]
		addAll(sum, o.Table, readUnits(itemSize(it), 2))
		if it = project(it, o.Project); o.Project != nil && len(it) == 0 {
			it = nil
		}
		a.Items = append(a.Items, show(encode(it)))
	}
	a.Units = ifUnits(op, sum)
	return a
}
