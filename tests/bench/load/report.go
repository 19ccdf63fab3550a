package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Spread is a median with the least and the most that it was taken from.
type Spread struct{ median, least, most float64 }

func spreadOf(values []float64) Spread {
	sorted := slices.Sorted(slices.Values(values))
	middle := sorted[len(sorted)/2]
	if len(sorted)%2 == 0 {
		middle = (middle + sorted[len(sorted)/2-1]) / 2
	}
	return Spread{middle, sorted[0], sorted[len(sorted)-1]}
}

// Three digits that count, without an exponent.
func short(value float64) string {
	digits := 2 - int(math.Floor(math.Log10(math.Max(value, 1e-3))))
	return fmt.Sprintf("%.*f", max(digits, 0), value)
}

func (s Spread) String() string {
	return fmt.Sprintf("%s (%s-%s)", short(s.median), short(s.least), short(s.most))
}

// Of each round.
func each(results []Result, value func(Result) float64) (values []float64) {
	for _, result := range results {
		values = append(values, value(result))
	}
	return values
}

// ratio compares within each round: what disturbed one round disturbed both.
func ratio(ours, theirs []Result, value func(Result) float64) Spread {
	values := make([]float64, len(ours))
	for i := range ours {
		values[i] = value(ours[i]) / value(theirs[i])
	}
	return spreadOf(values)
}

func cpuOf(s Scenario) func(Result) float64 {
	return func(r Result) float64 { return r.samples[s].cpu }
}
func p50Of(s Scenario) func(Result) float64 {
	return func(r Result) float64 { return r.samples[s].p50 }
}
func p99Of(s Scenario) func(Result) float64 {
	return func(r Result) float64 { return r.samples[s].p99 }
}
func requestsOf(s Scenario) func(Result) float64 {
	return func(r Result) float64 { return r.samples[s].requests }
}
func peak(r Result) float64  { return r.peakMB }
func ready(r Result) float64 { return r.readyMS }

type table struct{ strings.Builder }

func (t *table) row(cells ...string) { fmt.Fprintf(t, "| %s |\n", strings.Join(cells, " | ")) }
func (t *table) head(cells ...string) {
	t.row(cells...)
	fmt.Fprintf(t, "|%s\n", strings.Repeat("---|", len(cells)))
}

// bars is what the webhook is held to.
func bars(results map[string][]Result, full []Result, fill int) string {
	ours, main, many := results[webhook], Scenario{8, 6, hit}, Scenario{64, 6, hit}
	t := &table{}
	t.head("what", "wanted", "median (min-max)", "")
	bar := func(what string, wanted float64, unit string, got Spread) {
		verdict := "held"
		if got.median > wanted {
			verdict = "missed"
		}
		t.row(what, fmt.Sprintf("≤ %g%s", wanted, unit), got.String()+unit, verdict)
	}
	bar("CPU a request ÷ controller-runtime's", 0.13, "", ratio(ours, results[runtime_], cpuOf(main)))
	bar("CPU a request ÷ Go maps'", 0.5, "", ratio(ours, results[maps], cpuOf(main)))
	bar("CPU a request ÷ our own echo floor's", 2.2, "", ratio(ours, results[echo], cpuOf(main)))
	bar("p99 at 64 connections ÷ controller-runtime's", 0.1, "", ratio(ours, results[runtime_], p99Of(many)))
	bar("RSS under load", 32, " MB", spreadOf(each(ours, peak)))
	bar("RSS under load ÷ controller-runtime's", 0.9, "", ratio(ours, results[runtime_], peak))
	if len(full) > 0 {
		bar(fmt.Sprintf("RSS with %d InferenceServices, under load", fill), 60, " MB", spreadOf(each(full, peak)))
	}
	bar("exec to ready", 100, " ms", spreadOf(each(ours, ready)))
	return t.String()
}

func ratios(results map[string][]Result) string {
	ours := results[webhook]
	t := &table{}
	t.head("webhook ÷", "CPU ÷ controller-runtime", "CPU ÷ Go maps", "CPU ÷ echo", "requests/s ÷ controller-runtime",
		"p50 ÷ controller-runtime", "p99 ÷ controller-runtime", "p99 ÷ Go maps")
	for _, s := range scenarios() {
		floor := Scenario{s.connections, s.kilobytes, hit}
		values := make([]float64, len(ours))
		for i := range ours {
			values[i] = cpuOf(s)(ours[i]) / cpuOf(floor)(results[echo][i])
		}
		peer := results[runtime_]
		t.row(s.String(), ratio(ours, peer, cpuOf(s)).String(), ratio(ours, results[maps], cpuOf(s)).String(),
			spreadOf(values).String(), ratio(ours, peer, requestsOf(s)).String(), ratio(ours, peer, p50Of(s)).String(),
			ratio(ours, peer, p99Of(s)).String(), ratio(ours, results[maps], p99Of(s)).String())
	}
	return t.String()
}

func figures(programs []Server, results map[string][]Result) string {
	t := &table{}
	t.head("what", "server", "requests/s", "p50 µs", "p99 µs", "CPU µs a request", "cores busy")
	for _, s := range scenarios() {
		for _, server := range programs {
			all := results[server.name]
			if _, measured := all[0].samples[s]; !measured {
				continue
			}
			busy := func(r Result) float64 { return r.samples[s].busy }
			t.row(s.String(), server.name, spreadOf(each(all, requestsOf(s))).String(), spreadOf(each(all, p50Of(s))).String(),
				spreadOf(each(all, p99Of(s))).String(), spreadOf(each(all, cpuOf(s))).String(), short(spreadOf(each(all, busy)).median))
		}
	}
	return t.String()
}

func wholes(programs []Server, results map[string][]Result, full []Result, fill int) string {
	t := &table{}
	t.head("server", "peak RSS, MB", "exec to ready, ms")
	for _, server := range programs {
		t.row(server.name, spreadOf(each(results[server.name], peak)).String(), spreadOf(each(results[server.name], ready)).String())
	}
	if len(full) > 0 {
		t.row(fmt.Sprintf("webhook, %d InferenceServices", fill), spreadOf(each(full, peak)).String(), spreadOf(each(full, ready)).String())
	}
	return t.String()
}

// Report is Markdown: what must hold, ratios, then figures.
func Report(o options, programs []Server, results map[string][]Result, full []Result) string {
	return fmt.Sprintf(`## What must hold
CPU: a labelled pod of 6 KB that is patched, 8 connections; p99: the same at 64. Each ratio is of one round.

%s
## Ratios
Of CPU a request and latencies less is better for us, of requests/s more.

%s
## Memory and start
RSS is the peak (VmHWM) after all measurements of a round.

%s
## Figures
Median (min-max) of %d rounds of %g s.

%s`, bars(results, full, o.fill), ratios(results), wholes(programs, results, full, o.fill), o.rounds, o.seconds,
		figures(programs, results))
}
