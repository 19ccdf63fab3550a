package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Store is what bench_store says of so many objects.
type Store struct {
	ListNs    float64 `json:"list_ns"`    // an object: from the watch's text into the store
	ParseNs   float64 `json:"parse_ns"`   // of these: the text into JSON
	RecordNs  float64 `json:"record_ns"`  // JSON into what is kept
	LookupNs  float64 `json:"lookup_ns"`  // of one by name, at random
	UpsertNs  float64 `json:"upsert_ns"`  // of a changed object's JSON
	RelistNs  float64 `json:"relist_ns"`  // of an unchanged object's JSON, in a list
	HeapBytes float64 `json:"heap_bytes"` // an object
	RSSBytes  float64 `json:"rss_bytes"`  // an object
	TextBytes float64 `json:"text_bytes"` // of one event
}

// storeSizes go beyond what there is elsewhere, by ten at most.
func storeSizes(o options) []int {
	if o.objects < 10000 {
		return []int{1000, 10000}
	}
	return []int{1000, 10000, 100000}
}

// measureStores gives bench_store an object as the API server sends it, one process for each size.
func measureStores(o options, api *API, results *Results) error {
	object, err := api.Call("GET", Set{"fill", o.objects}.path(0), "", nil)
	if err != nil {
		return err
	}
	file := filepath.Join(o.folder, "object.json")
	if err := os.WriteFile(file, object, 0o644); err != nil {
		return err
	}
	for range o.rounds {
		for _, size := range storeSizes(o) {
			say("a store of %d", size)
			text, err := exec.Command(filepath.Join(o.bin, "bench_store"), file, fmt.Sprint(size)).Output()
			if err != nil {
				return err
			}
			var store Store
			if err := json.Unmarshal(text, &store); err != nil {
				return err
			}
			results.stores[size] = append(results.stores[size], store)
		}
	}
	return nil
}
