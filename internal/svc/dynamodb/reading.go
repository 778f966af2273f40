package dynamodb

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/capacity"
	"github.com/grammedb/gramme/internal/db/index"
	"github.com/grammedb/gramme/internal/db/query"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

// A reading is what Query and Scan have in common.
type reading struct {
	c                    *api.Call
	tableName, indexName *string
	selection            *string // Select
	consistent           bool

	attributes    []string                 // AttributesToGet
	filter        map[string]ddb.Condition // QueryFilter or ScanFilter
	filterName    string
	operator      *string // ConditionalOperator
	keyed         bool    // a Query, whose filter may not name the keys
	keyConditions map[string]ddb.Condition
	start         attr.SentItem
	request       expr.Request
}

// bindReading is the checks that need no table, C to I, and binds the expressions. own is the operation's own of step E.
func (s *Service) bindReading(r *reading, own func() error) (b expr.Bound, err error) {
	if err := r.checkPresence(); err != nil {
		return b, err
	}
	filter, err := expr.FromFilter(lower(r.filter, lowerComparison), r.operator)
	if err != nil {
		return b, err
	}
	attributes, err := expr.FromAttributesToGet(r.attributes)
	if err != nil {
		return b, err
	}
	if err := r.start.Check(); err != nil {
		return b, api.Invalid(invalidStart+": %s", err.Text)
	}
	if err := r.checkSelect(); err != nil {
		return b, err
	}
	if err := own(); err != nil {
		return b, err
	}
	if b, err = s.Expressions.Bind(r.request); err != nil {
		return b, err
	}
	keyCondition, err := expr.FromKeyConditions(lower(r.keyConditions, lowerComparison))
	if err != nil {
		return b, err
	}
	b.Filter = either(filter, b.Filter)
	b.Projection = either(attributes, b.Projection)
	b.KeyCondition = either(keyCondition, b.KeyCondition)
	return b, nil
}

func (r *reading) checkPresence() error {
	q := &r.request
	legacy := present(member{"AttributesToGet", r.attributes != nil}, member{r.filterName, r.filter != nil},
		member{"ConditionalOperator", r.operator != nil}, member{"KeyConditions", r.keyConditions != nil && q.KeyCondition != nil})
	if legacy == nil {
		return q.CheckPresence()
	}
	err := expr.CheckMixing(legacy,
		present(member{"ProjectionExpression", q.Projection != nil}, member{"FilterExpression", q.Filter != nil}, member{"KeyConditionExpression", q.KeyCondition != nil}))
	if err != nil {
		return err
	}
	return q.CheckPresence()
}

// checkSelect is the matrix of Select and the members that name attributes.
func (r *reading) checkSelect() error {
	named := ""
	switch {
	case r.request.Projection != nil:
		named = "ProjectionExpression"
	case r.attributes != nil:
		named = "AttributesToGet"
	}
	switch {
	case r.selection == nil:
		return nil
	case *r.selection == "SPECIFIC_ATTRIBUTES":
		if named == "" {
			return api.Invalid("Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
		}
	case named != "":
		return api.Invalid("Cannot specify the %s when choosing to get %s", named, *r.selection)
	case *r.selection == "ALL_PROJECTED_ATTRIBUTES" && r.indexName == nil:
		return api.Invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
	}
	return nil
}

// planReading finds the table and the index.
func (s *Service) planReading(r *reading, b expr.Bound) (*query.Plan, error) {
	d, err := s.open(r.c, r.tableName)
	if err != nil {
		return nil, err
	}
	p := &query.Plan{Table: d, Filter: b.Filter, Projection: b.Projection, CountOnly: is(r.selection, "COUNT"), Arena: r.c.Arena}
	if r.indexName == nil {
		return p, nil
	}
	p.Index = d.Index(*r.indexName)
	switch {
	case p.Index == nil || p.Index.Status == table.Deleting:
		return nil, api.Invalid(noIndexText+"%s", *r.indexName)
	case p.Index.Status == table.Creating:
		return nil, api.Invalid("Cannot read from backfilling global secondary index: %s", *r.indexName)
	case r.consistent && !p.Index.Local:
		return nil, api.Invalid("Consistent reads are not supported on global secondary indexes")
	}
	return p, nil
}

const invalidStart = "The provided starting key is invalid"

// checkStart checks that a start key has the key attributes of what is read, with values that fit.
func checkStart(p *query.Plan, start attr.Item) error {
	if p.IsStart(start) {
		return nil
	}
	if p.Index != nil {
		return api.Invalid(invalidStart)
	}
	_, err := p.Table.ParseKey(start)
	text, _ := invalidText(err)
	return api.Invalid(invalidStart+": %s", text)
}

// choose settles which attributes are returned and whether they have to be fetched from the table.
func (r *reading) choose(p *query.Plan) error {
	if err := checkProjection(p.Table, p.Projection); err != nil {
		return err
	}
	if r.keyed {
		if err := r.checkFilterKeys(p); err != nil {
			return err
		}
	}
	if err := r.chooseSource(p); err != nil {
		return err
	}
	if p.Filter == nil {
		return nil
	}
	return checkScalarPaths(p.Table, p.Filter.Paths())
}

// checkFilterKeys refuses a filter that names key attributes of what is queried: they belong into the key condition.
func (r *reading) checkFilterKeys(p *query.Plan) error {
	if p.Filter == nil {
		return nil
	}
	for path := range p.Filter.Paths() {
		if _, ok := p.Schema().Find(path[0].Name); !ok {
			continue
		}
		name := "Filter Expression"
		if r.filter != nil {
			name = r.filterName
		}
		return api.Invalid("%s can only contain non-primary key attributes: Primary key attribute: %s", name, path[0].Name)
	}
	return nil
}

// chooseSource settles what the items of an index that does not hold everything are made of: a local index leads to the
// table's items, a global one does not.
func (r *reading) chooseSource(p *query.Plan) error {
	if p.Index == nil || p.Index.Projection.Type == "ALL" {
		return nil
	}
	all := is(r.selection, "ALL_ATTRIBUTES")
	var answered, filtered []string
	if p.Projection != nil {
		answered = lacking(p, slices.Values(p.Projection.Paths()))
	}
	if p.Filter != nil {
		filtered = lacking(p, p.Filter.Paths())
	}
	switch {
	case p.Index.Local:
		p.Entries = !all && answered == nil
		p.Fetch = !p.Entries || filtered != nil
	case all:
		return api.Invalid(invalidValues+"Select type ALL_ATTRIBUTES is not supported for global secondary index %s because its projection type is not ALL", p.Index.Name)
	case answered != nil:
		return api.Invalid(invalidValues+"Global secondary index %s does not project [%s]", p.Index.Name, strings.Join(answered, ", "))
	case filtered != nil:
		return api.Invalid(invalidValues+"Secondary index %s does not project one or more filter attributes: [%s]", p.Index.Name, strings.Join(filtered, ", "))
	}
	return nil
}

// lacking names the attributes among the paths that the entries of the index do not hold.
func lacking(p *query.Plan, paths iter.Seq[expr.Path]) (missing []string) {
	for path := range paths {
		if name := path[0].Name; !index.Projects(p.Table, p.Index, name) && !slices.Contains(missing, name) {
			missing = append(missing, name)
		}
	}
	return missing
}

// An answer is the output of Query and of Scan, whose shapes are the same.
type answer = struct {
	Items            []attr.Item
	Count            *int64
	ScannedCount     *int64
	LastEvaluatedKey attr.Item
	ConsumedCapacity *ddb.ConsumedCapacity
}

// read reads the page.
func (s *Service) read(ctx context.Context, r *reading, p *query.Plan, capacityMode *string) (*answer, error) {
	pg, err := s.Reader.Page(ctx, p)
	if err != nil {
		return nil, err
	}
	count, scanned := int64(pg.Count), int64(pg.Scanned)
	a := &answer{Items: pg.Items, Count: &count, ScannedCount: &scanned, LastEvaluatedKey: pg.Last}
	if a.Items == nil && !p.CountOnly {
		a.Items = []attr.Item{}
	}
	if capacityMode != nil {
		var u usage
		u.addPage(p, pg, capacity.ReadMode(r.consistent))
		a.ConsumedCapacity = consumed(capacityMode, *r.tableName, &u, plain)
	}
	return a, nil
}
