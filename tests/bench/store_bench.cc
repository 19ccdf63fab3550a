// What the operator's store of InferenceServices costs, by how many there are.
//
//   bench_store OBJECT.json COUNT
//
// OBJECT.json is one InferenceService as an API server sends it. Prints one line of JSON:
// nanoseconds and bytes an object. One size a process, so that memory is that of this size alone.
#include <malloc.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "kube/object_sink.h"
#include "kube/store.h"
#include "kube/watch_line.h"
#include "operator/records.h"

namespace shm::controller {
namespace {

using nlohmann::json;
using ServiceStore = kube::Store<ServiceRecord>;
using Lines = std::vector<kube::WatchLine>;

constexpr int kBatch = 100;  // events whose text is there at once
constexpr int kInNamespace = 100;
constexpr int kSpaceDigits = 6;
constexpr int kNameDigits = 8;
constexpr int kVersionDigits = 12;
constexpr int kLookups = 1'000'000;
constexpr int kOthers = 10'000;  // of what does not grow with the count

std::string Digits(int number, int width) {
  std::string digits = std::to_string(number);
  return std::string(static_cast<std::size_t>(width) - digits.size(), '0') + digits;
}

kube::ObjectKey KeyOf(int number) {
  return {"fill-" + Digits(number / kInNamespace, kSpaceDigits),
          "model-" + Digits(number, kNameDigits)};
}

// Adds up this thread's CPU time between Begin and End: what else the machine does is not in it.
class StopWatch {
 public:
  void Begin() { begin_ = Now(); }
  void End() { total_ += Now() - begin_; }
  double Each(int count) const { return total_ / count; }

 private:
  static double Now() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
  }

  double begin_ = 0;
  double total_ = 0;
};

// Texts of events about different objects, made from one object.
class Events {
 public:
  explicit Events(const std::string& file) {
    json object = json::parse(std::ifstream(file));
    json& metadata = object["metadata"];
    metadata["namespace"] = "fill-" + std::string(kSpaceDigits, '<');
    metadata["name"] = "model-" + std::string(kNameDigits, '>');
    metadata["uid"] = "5f0cd6d2-6f0f-4d3a-9d4e-0000" + std::string(kNameDigits, '@');
    metadata["resourceVersion"] = std::string(kVersionDigits, '%');
    text_ = json{{"type", "ADDED"}, {"object", std::move(object)}}.dump();
  }

  std::string Added(int number, int version) const {
    std::string text = text_;
    Write(text, '<', Digits(number / kInNamespace, kSpaceDigits));
    Write(text, '>', Digits(number, kNameDigits));
    Write(text, '@', Digits(number, kNameDigits));
    Write(text, '%', Digits(version, kVersionDigits - kNameDigits) + Digits(number, kNameDigits));
    return text;
  }

  std::vector<std::string> Batch(int from, int to, int version) const {
    std::vector<std::string> texts;
    for (int number = from; number < to; ++number) texts.push_back(Added(number, version));
    return texts;
  }

 private:
  static void Write(std::string& text, char mark, const std::string& digits) {
    text.replace(text.find(std::string(digits.size(), mark)), digits.size(), digits);
  }

  std::string text_;
};

Lines Parse(const std::vector<std::string>& texts) {
  Lines lines;
  for (const std::string& text : texts) lines.push_back(kube::ReadWatchLine(text));
  return lines;
}

void Put(const Lines& lines, kube::ObjectSink& store) {
  for (const auto& line : lines) store.Upsert(kube::KeyOf(line.object), line.object);
}

struct Times {
  StopWatch parse;
  StopWatch put;
};

// A list of `count` objects, batch by batch; making their texts is not measured.
Times FillStore(const Events& events, int count, ServiceStore& store) {
  Times times;
  store.BeginList();
  for (int from = 0; from < count; from += kBatch) {
    const auto texts = events.Batch(from, std::min(from + kBatch, count), 0);
    times.parse.Begin();
    const Lines lines = Parse(texts);
    times.parse.End();
    times.put.Begin();
    Put(lines, store);
    times.put.End();
  }
  times.put.Begin();
  store.EndList();
  times.put.End();
  return times;
}

double LookupNs(const ServiceStore& store, int count) {
  std::mt19937 random(1);
  std::vector<kube::ObjectKey> keys;
  for (int i = 0; i < kOthers; ++i) {
    keys.push_back(KeyOf(static_cast<int>(random() % static_cast<unsigned>(count))));
  }
  std::uint64_t found = 0;
  StopWatch watch;
  watch.Begin();
  for (int i = 0; i < kLookups; ++i) {
    const kube::ObjectKey& key = keys[static_cast<std::size_t>(i % kOthers)];
    found += store.Get(key.namespace_name, key.name) ? 1 : 0;
  }
  watch.End();
  if (found != kLookups) throw std::runtime_error("an object is missing");
  return watch.Each(kLookups);
}

// Changed objects, spread over the store.
double UpsertNs(const Events& events, int count, ServiceStore& store) {
  std::mt19937 random(2);
  StopWatch watch;
  for (int done = 0; done < kOthers; done += kBatch) {
    const int from = static_cast<int>(random() % static_cast<unsigned>(count - kBatch + 1));
    const Lines lines = Parse(events.Batch(from, from + kBatch, 1 + done / kBatch));
    watch.Begin();
    Put(lines, store);
    watch.End();
  }
  return watch.Each(kOthers);
}

double RecordNs(const Events& events) {
  StopWatch watch;
  const Lines lines = Parse(events.Batch(0, kBatch, 0));
  watch.Begin();
  for (int done = 0; done < kOthers; done += kBatch) {
    for (const auto& line : lines) {
      if (!ParseServiceRecord(line.object).ok()) throw std::runtime_error("not readable");
    }
  }
  watch.End();
  return watch.Each(kOthers);
}

double HeapBytes() {
  const auto info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

double ResidentBytes() {
  long total = 0;
  long resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

json Measure(const std::string& file, int count) {
  const Events events(file);
  json result;
  result["record_ns"] = RecordNs(events);  // and warms up: what a batch needs is resident then
  ServiceStore store(ParseServiceRecord);
  const double heap = HeapBytes();
  const double resident = ResidentBytes();
  const Times times = FillStore(events, count, store);
  result["heap_bytes"] = (HeapBytes() - heap) / count;
  result["rss_bytes"] = (ResidentBytes() - resident) / count;
  result["text_bytes"] = events.Added(0, 0).size();
  result["parse_ns"] = times.parse.Each(count);
  result["list_ns"] = times.parse.Each(count) + times.put.Each(count);
  result["lookup_ns"] = LookupNs(store, count);
  result["relist_ns"] = FillStore(events, count, store).put.Each(count);  // nothing in it is new
  result["upsert_ns"] = UpsertNs(events, count, store);
  return result;
}

}  // namespace
}  // namespace shm::controller

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: bench_store OBJECT.json COUNT\n", stderr);
    return 2;
  }
  try {
    std::cout << shm::controller::Measure(argv[1], std::stoi(argv[2])).dump() << "\n";
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_store: %s\n", error.what());
    return 1;
  }
  return 0;
}
