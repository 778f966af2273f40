package dynamodb

import (
	"context"
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
	keyConditions map[string]ddb.Condition
	start         attr.SentItem
	request       expr.Request
}

// bindReading is the checks that need no table, C to I, and binds the expressions. own is the operation's own of step E.
func (s *Service) bindReading(r *reading, own func() error) (b expr.Bound, err error) {
	if err := r.checkPresence(); err != nil {
		return b, err
	}
	if err := r.checkValues(); err != nil {
		return b, err
	}
	if err := r.checkSelect(); err != nil {
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
		return b, err
	}
	if err := own(); err != nil {
		return b, err
	}
	keyCondition, err := expr.FromKeyConditions(lower(r.keyConditions, lowerComparison))
	if err != nil {
		return b, err
	}
	if b, err = s.Expressions.Bind(r.request); err != nil {
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
	err := expr.CheckMixing(legacy,
		present(member{"ProjectionExpression", q.Projection != nil}, member{"FilterExpression", q.Filter != nil}, member{"KeyConditionExpression", q.KeyCondition != nil}))
	if err != nil {
		return err
	}
	return q.CheckPresence()
}

func (r *reading) checkValues() error {
	for _, m := range []map[string]ddb.Condition{r.filter, r.keyConditions} {
		for _, name := range sortedKeys(m) {
			if err := checkValues(m[name].AttributeValueList); err != nil {
				return err
			}
		}
	}
	return nil
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
	p := &query.Plan{Table: d, Filter: b.Filter, Projection: b.Projection, CountOnly: is(r.selection, "COUNT")}
	if r.indexName == nil {
		return p, nil
	}
	p.Index = d.Index(*r.indexName)
	switch {
	case p.Index == nil || p.Index.Status == table.Deleting:
		return nil, api.Invalid("The table does not have the specified index: %s", *r.indexName)
	case p.Index.Status == table.Creating:
		return nil, api.Invalid("Cannot read from backfilling global secondary index: %s", *r.indexName)
	case r.consistent && !p.Index.Local:
		return nil, api.Invalid("Consistent reads are not supported on global secondary indexes")
	}
	return p, nil
}

// choose settles which attributes are returned and whether they have to be fetched from the table.
func (r *reading) choose(p *query.Plan, b expr.Bound) error {
	if err := checkProjection(p.Table, p.Projection); err != nil {
		return err
	}
	if p.Filter != nil {
		if err := checkScalarPaths(p.Table, p.Filter.Paths()); err != nil {
			return err
		}
	}
	if p.Index == nil || p.Index.Projection.Type == "ALL" {
		return nil
	}
	if is(r.selection, "ALL_ATTRIBUTES") {
		if !p.Index.Local {
			return api.Invalid(invalidValues+"Select type ALL_ATTRIBUTES is not supported for global secondary index %s because its projection type is not ALL", p.Index.Name)
		}
		p.Fetch = true
	}
	missing := lacking(p, b)
	if len(missing) > 0 && !p.Index.Local && p.Projection != nil {
		return api.Invalid(invalidValues+"Global secondary index %s does not project [%s]", p.Index.Name, strings.Join(missing, ", "))
	}
	p.Fetch = p.Fetch || p.Index.Local && (len(missing) > 0 || filterLacks(p))
	return nil
}

// lacking names the projected attributes that the entries of the index do not hold.
func lacking(p *query.Plan, b expr.Bound) (missing []string) {
	if b.Projection == nil {
		return nil
	}
	for _, path := range b.Projection.Paths() {
		if name := path[0].Name; !index.Projects(p.Table, p.Index, name) && !slices.Contains(missing, name) {
			missing = append(missing, name)
		}
	}
	return missing
}

func filterLacks(p *query.Plan) bool {
	if p.Filter == nil {
		return false
	}
	for path := range p.Filter.Paths() {
		if !index.Projects(p.Table, p.Index, path[0].Name) {
			return true
		}
	}
	return false
}

// errRange is the start key of another partition or segment, or one that the sort condition excludes.
var errRange = api.Invalid("The provided starting key does not match the range key predicate")

// An answer is the output of Query and of Scan, whose shapes are the same.
type answer = struct {
	Items            []attr.Item
	Count            *int64
	ScannedCount     *int64
	LastEvaluatedKey attr.Item
	ConsumedCapacity *ddb.ConsumedCapacity
}

// read reads the page.
func (s *Service) read(ctx context.Context, r *reading, p *query.Plan, start attr.Item, capacityMode *string) (*answer, error) {
	if start != nil && !p.StartAfter(start) {
		return nil, errRange
	}
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
