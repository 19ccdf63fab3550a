package bench

import (
	"regexp"
	"strconv"
	"strings"
)

// Samples are what a /metrics says, as `name` and `name{labels}` give it.
type Samples string

var label = regexp.MustCompile(`(\w+)="([^"]*)"`)

// Each hands over all samples of a family.
func (s Samples) Each(name string, do func(labels map[string]string, value float64)) {
	for line := range strings.Lines(string(s)) {
		rest, found := strings.CutPrefix(line, name)
		if !found || rest[0] != '{' && rest[0] != ' ' {
			continue
		}
		at := strings.LastIndexByte(rest, ' ')
		value, err := strconv.ParseFloat(strings.TrimSpace(rest[at+1:]), 64)
		if err != nil {
			continue
		}
		labels := map[string]string{}
		for _, match := range label.FindAllStringSubmatch(rest[:at], -1) {
			labels[match[1]] = match[2]
		}
		do(labels, value)
	}
}

// Sum of all samples of a family.
func (s Samples) Sum(name string) (total float64) {
	s.Each(name, func(_ map[string]string, value float64) { total += value })
	return total
}
