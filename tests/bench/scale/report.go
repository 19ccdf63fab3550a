package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"shm-operator-bench/internal/bench"
)

func each[T any](all []T, value func(T) float64) (values []float64) {
	for _, one := range all {
		values = append(values, value(one))
	}
	return values
}

// row is a figure of ours and of the peer's, and their ratio of each round.
func row[T any](t *bench.Table, what string, all map[string][]T, value func(T) float64) {
	own, other := each(all[ours], value), each(all[peer], value)
	t.Row(what, bench.SpreadOf(own).String(), bench.SpreadOf(other).String(), bench.Ratio(own, other).String())
}

// figure is one that has no ratio worth the name.
func figure[T any](t *bench.Table, what string, all map[string][]T, value func(T) float64) {
	t.Row(what, bench.SpreadOf(each(all[ours], value)).String(), bench.SpreadOf(each(all[peer], value)).String(), "")
}

func comparison() *bench.Table {
	t := &bench.Table{}
	t.Head("what", ours, peer, "ratio")
	return t
}

func seconds(d time.Duration) float64 { return d.Seconds() }

// callRows has a row for each verb and resource that either of them called for, an object.
func callRows[T any](t *bench.Table, all map[string][]T, calls func(T) Calls, objects int) {
	for _, what := range kinds(all, calls, objects) {
		figure(t, "calls an object: "+what, all, func(one T) float64 { return calls(one)[what] / float64(objects) })
	}
}

// kinds of calls that are of any weight: a hundredth of an object's, in some round.
func kinds[T any](all map[string][]T, calls func(T) Calls, objects int) []string {
	most := map[string]bool{}
	for _, of := range all {
		for _, one := range of {
			for what, count := range calls(one) {
				most[what] = most[what] || count*100 >= float64(objects)
			}
		}
	}
	maps.DeleteFunc(most, func(_ string, heavy bool) bool { return !heavy })
	return slices.Sorted(maps.Keys(most))
}

func writes(calls Calls) Calls { return calls.without(isRead) }

func startTable(all map[string][]Started, objects int) string {
	t := comparison()
	row(t, "exec to all listed, s", all, func(s Started) float64 { return seconds(s.synced) })
	row(t, "all listed to quiet, s", all, func(s Started) float64 { return seconds(s.quiet - s.synced) })
	row(t, "exec to quiet, s", all, func(s Started) float64 { return seconds(s.quiet) })
	row(t, "CPU, s", all, func(s Started) float64 { return seconds(s.cpu) })
	row(t, "CPU of the API server meanwhile, s", all, func(s Started) float64 { return seconds(s.server) })
	row(t, "peak RSS, MB", all, func(s Started) float64 { return s.peak })
	row(t, "RSS when quiet, MB", all, func(s Started) float64 { return s.resident })
	figure(t, "writes", all, func(s Started) float64 { return writes(s.calls).sum() })
	callRows(t, all, func(s Started) Calls { return s.calls }, objects)
	return t.String()
}

func burstTable(all map[string][]Worked, objects int) string {
	count := float64(objects)
	t := comparison()
	row(t, "first request to last status, s", all, func(w Worked) float64 { return seconds(w.took) })
	figure(t, "until our last request was answered, s", all, func(w Worked) float64 { return seconds(w.asked) })
	row(t, "CPU an object, ms", all, func(w Worked) float64 { return 1000 * seconds(w.cpu) / count })
	row(t, "CPU of the API server an object, ms", all, func(w Worked) float64 { return 1000 * seconds(w.server) / count })
	row(t, "peak RSS since exec, MB", all, func(w Worked) float64 { return w.peak })
	row(t, "calls an object", all, func(w Worked) float64 { return w.calls.sum() / count })
	callRows(t, all, func(w Worked) Calls { return w.calls }, objects)
	return t.String()
}

func created(all map[string][]Bursts) map[string][]Worked {
	return pick(all, func(b Bursts) Worked { return b.created })
}
func changed(all map[string][]Bursts) map[string][]Worked {
	return pick(all, func(b Bursts) Worked { return b.changed })
}

func pick(all map[string][]Bursts, which func(Bursts) Worked) map[string][]Worked {
	picked := map[string][]Worked{}
	for name, bursts := range all {
		for _, b := range bursts {
			picked[name] = append(picked[name], which(b))
		}
	}
	return picked
}

func steadyTable(steady map[string]Steady) string {
	t := comparison()
	all := map[string][]Steady{ours: {steady[ours]}, peer: {steady[peer]}}
	text := func(value func(Steady) string) (string, string) { return value(steady[ours]), value(steady[peer]) }
	own, other := text(func(s Steady) string { return writes(s.calls).String() })
	t.Row("writes but leases", own, other, "")
	own, other = text(func(s Steady) string { return writes(s.all).String() })
	t.Row("all writes, the API server's own too", own, other, "")
	row(t, "CPU, ms a second", all, func(s Steady) float64 { return 1000 * seconds(s.cpu) / seconds(s.ended.Sub(s.began)) })
	row(t, "RSS at the end, MB", all, func(s Steady) float64 { return s.resident })
	row(t, "peak RSS since exec, MB", all, func(s Steady) float64 { return s.peak })
	return t.String()
}

func storeTable(sizes []int, stores map[int][]Store) string {
	t := &bench.Table{}
	least, most := sizes[0], sizes[len(sizes)-1]
	head := []string{"what, an object"}
	for _, size := range sizes {
		head = append(head, fmt.Sprint(size))
	}
	t.Head(append(head, fmt.Sprintf("%d ÷ %d", most, least))...)
	line := func(what string, value func(Store) float64) {
		cells := []string{what}
		for _, size := range sizes {
			cells = append(cells, bench.SpreadOf(each(stores[size], value)).String())
		}
		t.Row(append(cells, bench.Ratio(each(stores[most], value), each(stores[least], value)).String())...)
	}
	line("list: event's text to store, µs", func(s Store) float64 { return s.ListNs / 1000 })
	line("of these, text to JSON, µs", func(s Store) float64 { return s.ParseNs / 1000 })
	line("JSON to what is kept, µs", func(s Store) float64 { return s.RecordNs / 1000 })
	line("upsert of a changed one, from JSON, µs", func(s Store) float64 { return s.UpsertNs / 1000 })
	line("list again, unchanged, from JSON, µs", func(s Store) float64 { return s.RelistNs / 1000 })
	line("lookup by name, ns", func(s Store) float64 { return s.LookupNs })
	line("bytes of the event's text", func(s Store) float64 { return s.TextBytes })
	line("bytes on the heap", func(s Store) float64 { return s.HeapBytes })
	line("bytes of RSS", func(s Store) float64 { return s.RSSBytes })
	return t.String()
}

// bars is what the operator is held to.
func bars(o options, r *Results) string {
	t := &bench.Table{}
	t.BarHead()
	starts, steady := r.starts[ours], r.steady[ours]
	t.Bar(fmt.Sprintf("all of %d listed to quiet", o.objects), 5, " s",
		bench.SpreadOf(each(starts, func(s Started) float64 { return seconds(s.quiet - s.synced) })))
	peaks := each(r.first[ours], func(s Started) float64 { return s.peak })
	peaks = append(peaks, each(starts, func(s Started) float64 { return s.peak })...)
	peaks = append(peaks, each(created(r.among)[ours], func(w Worked) float64 { return w.peak })...)
	t.Bar(fmt.Sprintf("peak RSS with %d: first pass, starts, bursts", o.objects), 100, " MB", bench.SpreadOf(peaks))
	for _, burst := range []struct {
		where string
		of    map[string][]Bursts
	}{{"alone", r.alone}, {fmt.Sprintf("among %d", o.objects), r.among}} {
		calls := func(w Worked) float64 { return w.calls.sum() / float64(o.burst) }
		t.Bar(fmt.Sprintf("calls an object, %d creates %s", o.burst, burst.where), 4, "",
			bench.SpreadOf(each(created(burst.of)[ours], calls)))
		t.Bar(fmt.Sprintf("calls an object, %d changes %s", o.burst, burst.where), 2, "", bench.SpreadOf(each(changed(burst.of)[ours],
			func(w Worked) float64 { return w.calls.without(isEvent).sum() / float64(o.burst) })))
	}
	t.Bar(fmt.Sprintf("writes but leases in %s", o.steady), 0, "", bench.SpreadOf([]float64{writes(steady.calls).without(isOfEventsGroup).sum()}))
	return t.String()
}

// Report is Markdown.
func Report(o options, r *Results) string {
	var b strings.Builder
	section := func(title, words, table string) {
		if words != "" {
			words += "\n"
		}
		fmt.Fprintf(&b, "## %s\n%s\n%s\n", title, words, table)
	}
	section("What must hold", "Of the operator. Changes are counted without their Events, which come at a bounded rate.", bars(o, r))
	section(fmt.Sprintf("Start on %d InferenceServices", o.objects), "Their children are there, made by the same program before.",
		startTable(r.starts, o.objects))
	section(fmt.Sprintf("First start on %d InferenceServices", o.objects), "They have no children yet: all are made. Once.",
		startTable(r.first, o.objects))
	section(fmt.Sprintf("%d creates at once, beside no others", o.burst), "", burstTable(created(r.alone), o.burst))
	section(fmt.Sprintf("%d creates at once, among %d", o.burst, o.objects), "", burstTable(created(r.among), o.burst))
	section(fmt.Sprintf("A change of each of %d at once, beside no others", o.burst), "", burstTable(changed(r.alone), o.burst))
	section(fmt.Sprintf("A change of each of %d at once, among %d", o.burst, o.objects), "", burstTable(changed(r.among), o.burst))
	section(fmt.Sprintf("%s without a change, with %d", o.steady, o.objects), "Both at once, each on its cluster.", steadyTable(r.steady))
	section("The store alone", "`tests/bench/store_bench.cc`, with the InferenceServices of above.", storeTable(storeSizes(o), r.stores))
	return b.String()
}
