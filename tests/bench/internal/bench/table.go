package bench

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Spread is a median with the least and the most that it was taken from.
type Spread struct{ Median, Least, Most float64 }

// SpreadOf needs one value at least.
func SpreadOf(values []float64) Spread {
	sorted := slices.Sorted(slices.Values(values))
	middle := sorted[len(sorted)/2]
	if len(sorted)%2 == 0 {
		middle = (middle + sorted[len(sorted)/2-1]) / 2
	}
	return Spread{middle, sorted[0], sorted[len(sorted)-1]}
}

// Short is three digits that count, without an exponent.
func Short(value float64) string {
	if value == 0 {
		return "0"
	}
	digits := 2 - int(math.Floor(math.Log10(math.Max(value, 1e-3))))
	return fmt.Sprintf("%.*f", max(digits, 0), value)
}

func (s Spread) String() string {
	return fmt.Sprintf("%s (%s-%s)", Short(s.Median), Short(s.Least), Short(s.Most))
}

// Ratio compares within each round: what disturbed one round disturbed both.
func Ratio(ours, theirs []float64) Spread {
	values := make([]float64, len(ours))
	for i := range ours {
		values[i] = ours[i] / theirs[i]
	}
	return SpreadOf(values)
}

// Table is one of Markdown.
type Table struct{ strings.Builder }

func (t *Table) Row(cells ...string) { fmt.Fprintf(t, "| %s |\n", strings.Join(cells, " | ")) }

func (t *Table) Head(cells ...string) {
	t.Row(cells...)
	fmt.Fprintf(t, "|%s\n", strings.Repeat("---|", len(cells)))
}

// BarHead is the head of a table of Bars.
func (t *Table) BarHead() { t.Head("what", "wanted", "median (min-max)", "") }

// Bar is a row that says whether the median is at most what is wanted.
func (t *Table) Bar(what string, wanted float64, unit string, got Spread) {
	verdict := "held"
	if got.Median > wanted {
		verdict = "missed by " + Short(got.Median-wanted) + unit
	}
	t.Row(what, fmt.Sprintf("≤ %g%s", wanted, unit), got.String()+unit, verdict)
}
