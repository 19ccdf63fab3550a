package main

import (
	"fmt"

	"shm-operator-bench/internal/bench"
)

func each(all []Creations, value func(Creations) float64) (values []float64) {
	for _, one := range all {
		values = append(values, value(one))
	}
	return values
}

func ownMean(c Creations) float64  { return c.own.microseconds() }
func stepMean(c Creations) float64 { return c.step.microseconds() }

// added is what a variant has more than none, round by round.
func added(found map[string][]Creations, name string, value func(Creations) float64) bench.Spread {
	with, without := each(found[name], value), each(found[none], value)
	for i := range with {
		with[i] -= without[i]
	}
	return bench.SpreadOf(with)
}

func bars(found map[string][]Creations) string {
	t := &bench.Table{}
	ours := each(found[webhook], ownMean)
	t.BarHead()
	t.Bar("webhook ÷ the echo that says the webhook's answer", 1.3, "", bench.Ratio(ours, each(found[patching], ownMean)))
	t.Bar("webhook ÷ the echo that allows", 1.3, "", bench.Ratio(ours, each(found[allowing], ownMean)))
	t.Bar("webhook, mean", 1000, " µs", bench.SpreadOf(ours))
	t.Bar("webhook ÷ controller-runtime", 1, "", bench.Ratio(ours, each(found[runtime_], ownMean)))
	t.Bar("webhook ÷ Go maps", 1, "", bench.Ratio(ours, each(found[maps], ownMean)))
	t.Bar("webhook ÷ MutatingAdmissionPolicy", 1, "", bench.Ratio(ours, each(found[policy], ownMean)))
	return t.String()
}

func creationTable(all []Variant, found map[string][]Creations) string {
	t := &bench.Table{}
	t.Head("pods meet", "its own histogram, mean µs", "mutating admission, added mean µs", "request, mean µs", "request, added mean µs", "request, p99 µs")
	for _, v := range all {
		rounds := found[v.name]
		own, step, request := "", "", ""
		if v.name != none {
			own = bench.SpreadOf(each(rounds, ownMean)).String()
			step, request = added(found, v.name, stepMean).String(), added(found, v.name, Creations.mean).String()
		}
		t.Row(v.name, own, step, bench.SpreadOf(each(rounds, Creations.mean)).String(), request,
			bench.SpreadOf(each(rounds, Creations.p99)).String())
	}
	return t.String()
}

func growthTable(grown map[Grown][]bench.Sample, value func(bench.Sample) float64) string {
	t := &bench.Table{}
	head := []string{"review, bytes"}
	for _, name := range growthServers {
		head = append(head, name+", µs", "ns a byte")
	}
	t.Head(head...)
	for _, size := range growthSizes {
		bytes := len(review(size))
		row := []string{fmt.Sprint(bytes)}
		for _, name := range growthServers {
			var values []float64
			for _, sample := range grown[Grown{name, size}] {
				values = append(values, value(sample))
			}
			median := bench.SpreadOf(values)
			row = append(row, median.String(), bench.Short(median.Median*1000/float64(bytes)))
		}
		t.Row(row...)
	}
	return t.String()
}

// Report is Markdown.
func Report(o options, all []Variant, found map[string][]Creations, grown map[Grown][]bench.Sample) string {
	return fmt.Sprintf(`## What is wanted
Means of the API server's own histograms; each ratio is of one round.

%s
## What a pod's creation costs more
%d pods for each, in %d rounds, in blocks of %d in an order by chance (seed %d); median (min-max) of the rounds. Pods of %d bytes as they are sent.

%s
## How the time to answer grows with the pod
Without an API server: one connection, labelled pods that are patched; median (min-max) of %d times %g s. Time as the client sees it:

%s
CPU of the server:

%s`, bars(found), len(found[none][0].took)*o.rounds, o.rounds, o.block, o.seed, len(podToCreate(all[0])), creationTable(all, found),
		growthRounds, o.seconds, growthTable(grown, func(s bench.Sample) float64 { return s.P50 }),
		growthTable(grown, func(s bench.Sample) float64 { return s.CPU }))
}
