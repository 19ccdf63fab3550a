package main

import (
	"fmt"

	"shm-operator-bench/internal/bench"
)

// Of each round.
func each(results []Result, value func(Result) float64) (values []float64) {
	for _, result := range results {
		values = append(values, value(result))
	}
	return values
}

func ratio(ours, theirs []Result, value func(Result) float64) bench.Spread {
	return bench.Ratio(each(ours, value), each(theirs, value))
}

func cpuOf(s Scenario) func(Result) float64 {
	return func(r Result) float64 { return r.samples[s].CPU }
}
func p50Of(s Scenario) func(Result) float64 {
	return func(r Result) float64 { return r.samples[s].P50 }
}
func p99Of(s Scenario) func(Result) float64 {
	return func(r Result) float64 { return r.samples[s].P99 }
}
func requestsOf(s Scenario) func(Result) float64 {
	return func(r Result) float64 { return r.samples[s].Requests }
}
func peak(r Result) float64  { return r.peakMB }
func ready(r Result) float64 { return r.readyMS }

// bars is what the webhook is held to.
func bars(results map[string][]Result, full []Result, fill int) string {
	ours, main, many := results[webhook], Scenario{8, 6, bench.Hit}, Scenario{64, 6, bench.Hit}
	t := &bench.Table{}
	t.BarHead()
	t.Bar("CPU a request ÷ controller-runtime's", 0.13, "", ratio(ours, results[runtime_], cpuOf(main)))
	t.Bar("CPU a request ÷ Go maps'", 0.5, "", ratio(ours, results[maps], cpuOf(main)))
	t.Bar("CPU a request ÷ our own echo floor's", 2.2, "", ratio(ours, results[echo], cpuOf(main)))
	t.Bar("p99 at 64 connections ÷ controller-runtime's", 0.1, "", ratio(ours, results[runtime_], p99Of(many)))
	t.Bar("RSS under load", 32, " MB", bench.SpreadOf(each(ours, peak)))
	t.Bar("RSS under load ÷ controller-runtime's", 0.9, "", ratio(ours, results[runtime_], peak))
	if len(full) > 0 {
		t.Bar(fmt.Sprintf("RSS with %d InferenceServices, under load", fill), 60, " MB", bench.SpreadOf(each(full, peak)))
	}
	t.Bar("exec to ready", 100, " ms", bench.SpreadOf(each(ours, ready)))
	return t.String()
}

func ratios(results map[string][]Result) string {
	ours := results[webhook]
	t := &bench.Table{}
	t.Head("webhook ÷", "CPU ÷ controller-runtime", "CPU ÷ Go maps", "CPU ÷ echo", "requests/s ÷ controller-runtime",
		"p50 ÷ controller-runtime", "p99 ÷ controller-runtime", "p99 ÷ Go maps")
	for _, s := range scenarios() {
		floor := Scenario{s.connections, s.kilobytes, bench.Hit}
		values := make([]float64, len(ours))
		for i := range ours {
			values[i] = cpuOf(s)(ours[i]) / cpuOf(floor)(results[echo][i])
		}
		peer := results[runtime_]
		t.Row(s.String(), ratio(ours, peer, cpuOf(s)).String(), ratio(ours, results[maps], cpuOf(s)).String(),
			bench.SpreadOf(values).String(), ratio(ours, peer, requestsOf(s)).String(), ratio(ours, peer, p50Of(s)).String(),
			ratio(ours, peer, p99Of(s)).String(), ratio(ours, results[maps], p99Of(s)).String())
	}
	return t.String()
}

func figures(programs []bench.Server, results map[string][]Result) string {
	t := &bench.Table{}
	t.Head("what", "server", "requests/s", "p50 µs", "p99 µs", "CPU µs a request", "cores busy")
	for _, s := range scenarios() {
		for _, server := range programs {
			all := results[server.Name]
			if _, measured := all[0].samples[s]; !measured {
				continue
			}
			busy := func(r Result) float64 { return r.samples[s].Busy }
			t.Row(s.String(), server.Name, bench.SpreadOf(each(all, requestsOf(s))).String(), bench.SpreadOf(each(all, p50Of(s))).String(),
				bench.SpreadOf(each(all, p99Of(s))).String(), bench.SpreadOf(each(all, cpuOf(s))).String(), bench.Short(bench.SpreadOf(each(all, busy)).Median))
		}
	}
	return t.String()
}

func wholes(programs []bench.Server, results map[string][]Result, full []Result, fill int) string {
	t := &bench.Table{}
	t.Head("server", "peak RSS, MB", "exec to ready, ms")
	for _, server := range programs {
		t.Row(server.Name, bench.SpreadOf(each(results[server.Name], peak)).String(), bench.SpreadOf(each(results[server.Name], ready)).String())
	}
	if len(full) > 0 {
		t.Row(fmt.Sprintf("webhook, %d InferenceServices", fill), bench.SpreadOf(each(full, peak)).String(), bench.SpreadOf(each(full, ready)).String())
	}
	return t.String()
}

// Report is Markdown: what must hold, ratios, then figures.
func Report(o options, programs []bench.Server, results map[string][]Result, full []Result) string {
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
