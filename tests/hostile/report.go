package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

func (r Result) name() string {
	name := r.attack.name
	if r.attack.health {
		name = "health port: " + name
	}
	return name
}

var places = map[string]string{"other": "one", "same": "the good clients'", "everywhere": "250"}

func ms(took time.Duration) string {
	return fmt.Sprintf("%.1f", float64(took)/float64(time.Millisecond))
}

func p99s(g *Good) string {
	var all []string
	for _, tally := range g.all() {
		all = append(all, ms(tally.p99()))
	}
	return strings.Join(all, " | ")
}

func asked(g *Good) (count int) {
	for _, tally := range g.all() {
		count += len(tally.took) + len(tally.failed)
	}
	return count
}

func answers(r Report) string {
	var all []string
	for _, status := range slices.Sorted(maps.Keys(r.Answers)) {
		all = append(all, fmt.Sprintf("%s × %d", status, r.Answers[status]))
	}
	return strings.Join(all, ", ")
}

func line(r Result) string {
	return fmt.Sprintf("| %s | %s | %d | %s | %d of %d | %s | %.1f | %d |\n", r.name(), places[r.where], r.report.Opened,
		answers(r.report), len(r.good.failures()), asked(r.good), p99s(r.good), r.peakMB, r.descriptors)
}

// report is the tables, and how many things went wrong.
func report(s *soak, quiet, after *Good, results []Result, ended string) (string, int) {
	var text strings.Builder
	wrong, failed, total, peak := []string{}, 0, 0, 0.0
	for _, r := range results {
		failed += len(r.good.failures())
		total += asked(r.good)
		peak = max(peak, r.peakMB)
		for _, what := range r.wrong {
			wrong = append(wrong, fmt.Sprintf("%s, from %s: %s", r.name(), r.where, what))
		}
	}
	for _, failure := range append(quiet.failures(), after.failures()...) {
		wrong = append(wrong, "without an attack: "+failure)
	}
	if ended != "" {
		wrong = append(wrong, "the webhook ended with "+ended)
	}
	fmt.Fprintf(&text, "- %d attacks of %.0f s; good requests meanwhile: %d, **failed: %d**\n", len(results), s.seconds, total, failed)
	fmt.Fprintf(&text, "- peak memory (VmHWM): %.1f MB with good clients alone, %.1f MB under the worst attack: **%.1f MB more**%s\n",
		s.baseMB, peak, peak-s.baseMB, map[bool]string{true: fmt.Sprintf(", at most %.0f are allowed", s.mostMB)}[s.mostMB > 0])
	fmt.Fprintf(&text, "- descriptors with good clients alone: %d; at the end the webhook ended by SIGTERM %s\n\n", s.descriptors,
		map[bool]string{true: "in good order", false: "with " + ended}[ended == ""])
	text.WriteString("p99 in ms of good requests: over connections that stand, over new ones, of pods created through the API server, of probes.\n\n")
	text.WriteString("| attack | addresses | connections | answers | good requests failed | standing | new | API server | probes | peak MB | descriptors after |\n")
	text.WriteString("|---|---|---|---|---|---|---|---|---|---|---|\n")
	fmt.Fprintf(&text, "| none, before | | | | %d of %d | %s | %.1f | %d |\n", len(quiet.failures()), asked(quiet), p99s(quiet), s.baseMB, s.descriptors)
	for _, r := range results {
		text.WriteString(line(r))
	}
	fmt.Fprintf(&text, "| none, after | | | | %d of %d | %s | | |\n\n## What went wrong\n", len(after.failures()), asked(after), p99s(after))
	if len(wrong) == 0 {
		text.WriteString("Nothing.\n")
	}
	for _, what := range wrong[:min(len(wrong), 40)] {
		text.WriteString("- " + what + "\n")
	}
	return text.String(), len(wrong)
}
