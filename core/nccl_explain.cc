#include "core/nccl_explain.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "core/log_lines.h"

namespace shm {
namespace {

constexpr std::size_t kMaxLineBytes = 1 << 20;
constexpr std::int64_t kReferenceCount = 4;      // NCCL appends it to every segment
constexpr std::int64_t kFixedParts = 5'443'584;  // LL 524,288 + LL128 4,915,200 + header 4,096
constexpr std::int64_t kDefaultBuffer = 4'194'304;

constexpr const char* kNoDisable =
    " NCCL_SHM_DISABLE=1 does not help: without P2P NCCL then opens two pools of 34,210,176 bytes "
    "there and runs about ten times slower.";

// The line with ASCII letters made small: the lines below are matched whatever their case.
std::string Lowered(std::string_view line) {
  std::string lowered(line.substr(0, kMaxLineBytes));
  std::transform(lowered.begin(), lowered.end(), lowered.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lowered;
}

bool Contains(std::string_view line, std::string_view part) {
  return line.find(part) != std::string_view::npos;
}

// The decimal number that follows `before`, blanks between them allowed.
std::optional<std::int64_t> NumberAfter(std::string_view line, std::string_view before) {
  std::size_t at = line.find(before);
  if (at == std::string_view::npos) return std::nullopt;
  at += before.size();
  while (at < line.size() && line[at] == ' ') ++at;
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(line.data() + at, line.data() + line.size(), number);
  if (error != std::errc() || stop == line.data() + at || number < 0) return std::nullopt;
  return number;
}

// "9,637,888"
std::string Grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

struct Pool {
  std::int64_t bytes;
  const char* versions;
};

// The proxy's operations pool, ncclProxyOpsPool.
constexpr Pool kPools[] = {
    {34'210'176, "2.28 and later"},
    {33'030'528, "2.25 and 2.26"},
    {10'486'112, "up to 2.24"},
    {7'340'384, "up to 2.24"},
};

std::string DescribePool(const Pool& pool) {
  return Grouped(pool.bytes) + " bytes are the proxy's operations pool of NCCL " + pool.versions +
         ". NCCL opens one for each GPU and two more for every communicator where cuMem is off "
         "(NCCL_CUMEM_ENABLE=0) or the NET transport serves the host.";
}

std::string DescribeSegment(std::int64_t buffer) {
  std::string text = Grouped(kFixedParts + buffer) +
                     " bytes are one connection of the SHM transport: LL 524,288 + LL128 4,915,200 "
                     "+ NCCL_BUFFSIZE " +
                     Grouped(buffer) + " + header 4,096.";
  if (buffer != kDefaultBuffer) text += " NCCL_BUFFSIZE is not NCCL's default of 4,194,304.";
  return text +
         " NCCL opens one for each channel and peer where GPUs do not reach each other by P2P and "
         "cuMem host buffers are off.";
}

// What a segment of NCCL is, by its size with or without the reference count.
std::optional<std::string> DescribeSize(std::int64_t bytes) {
  for (const std::int64_t size : {bytes, bytes - kReferenceCount}) {
    for (const Pool& pool : kPools) {
      if (size == pool.bytes) return DescribePool(pool);
    }
    const std::int64_t buffer = size - kFixedParts;
    const bool plausible = buffer > 0 && buffer % 1'024 == 0 && buffer <= (std::int64_t{1} << 30);
    if (plausible) return DescribeSegment(buffer);
    if (size == 4'096) return "4,096 bytes are the header of one connection of the SHM transport.";
  }
  return std::nullopt;
}

std::optional<std::int64_t> SegmentSize(std::string_view line) {
  for (const std::string_view before : {" to ", "(size ", " size ", "allocated "}) {
    // " to " also stands in other places of the line: only a number after it counts.
    std::string_view rest = line;
    const std::size_t path = rest.find("/dev/shm/nccl-");
    if (before == " to " && path != std::string_view::npos) rest.remove_prefix(path);
    if (const auto number = NumberAfter(rest, before)) return number;
  }
  return std::nullopt;
}

// A line about one of NCCL's files.
std::optional<Explanation> ExplainNcclSegment(std::string_view line) {
  const bool segment = Contains(line, "/dev/shm/nccl") ||
                       (Contains(line, "shared memory segment") && Contains(line, "nccl"));
  if (!segment) return std::nullopt;
  Explanation result;
  result.known = true;
  result.bytes = SegmentSize(line);
  const std::optional<std::string> what = result.bytes ? DescribeSize(*result.bytes) : std::nullopt;
  const bool failed = Contains(line, "failed") || Contains(line, "error") ||
                      Contains(line, "could not") || Contains(line, "no space");
  if (!failed) {
    result.cause = "NCCL made a file in /dev/shm; the line is no error.";
  } else if (Contains(line, "attaching") || Contains(line, "no such file")) {
    result.cause =
        "A rank did not find the file that its peer made: they do not share one /dev/shm, or the "
        "peer has ended.";
    result.cure =
        "Mount the same volume at /dev/shm of every container whose processes talk to each other, "
        "and look at the peer's log.";
  } else if (Contains(line, "permission denied") || Contains(line, "read-only file system")) {
    result.cause = "NCCL may not write to /dev/shm: it is read-only or belongs to another user.";
    result.cure = "Mount /dev/shm writable (an emptyDir with medium Memory, no readOnly).";
  } else if (Contains(line, "too many open files") || Contains(line, "invalid argument")) {
    result.cause =
        "NCCL could not make a file in /dev/shm for another reason than its size, which the line "
        "names.";
    result.cure = Contains(line, "too many open files")
                      ? "Raise the limit of open files (ulimit -n)."
                      : "Look at NCCL's settings (NCCL_BUFFSIZE and its like) and at its version.";
  } else if (Contains(line, "cannot allocate memory")) {
    result.cause =
        "There is no memory left for a file in /dev/shm: its pages count towards the "
        "container's memory limit.";
    result.cure = "Raise the memory limit by the size of /dev/shm.";
  } else {
    result.cause = "/dev/shm is full: NCCL could not make a file there";
    result.cause += result.bytes ? " of " + Grouped(*result.bytes) + " bytes." : ".";
    result.cure = std::string(kGiveMemory) + kNoDisable;
  }
  if (what) result.cause += " " + *what;
  return result;
}

// The kernel's report of a process that it ended; memory in kB.
std::optional<Explanation> ExplainOom(std::string_view line) {
  constexpr std::array<std::string_view, 6> kMarks = {
      "out of memory", "oom-kill", "oomkilled", "oom_kill", "oom killer", "invoked oom-killer"};
  const bool kernel = std::any_of(kMarks.begin(), kMarks.end(),
                                  [line](std::string_view mark) { return Contains(line, mark); });
  if (!kernel || Contains(line, "cuda")) return std::nullopt;
  Explanation result;
  result.known = true;
  result.cause = "The kernel ended a process for want of memory.";
  constexpr std::int64_t kMostKib = std::int64_t{1} << 50;
  const std::optional<std::int64_t> shared = NumberAfter(line, "shmem-rss:");
  if (shared && *shared <= kMostKib) {
    result.bytes = *shared * 1'024;
    result.cause += " " + Grouped(*result.bytes) + " bytes of it were shared memory.";
  }
  result.cause +=
      " What is written to /dev/shm counts towards the memory limit of the container that writes "
      "it, and stays after a restart of the container.";
  result.cure =
      "Raise the memory limit by the size of /dev/shm (memoryLimitPolicy Raise does it), and "
      "delete the pod rather than restart its container: only that frees the pages.";
  return result;
}

bool Matches(const KnownLine& known, std::string_view line) {
  return Contains(line, known.contains[0]) &&
         (known.contains[1].empty() || Contains(line, known.contains[1]));
}

}  // namespace

Explanation ExplainLogLine(std::string_view line) {
  const std::string lowered = Lowered(line);
  if (auto nccl = ExplainNcclSegment(lowered)) return *std::move(nccl);
  if (auto oom = ExplainOom(lowered); oom && !Contains(lowered, "out of shared memory")) {
    return *std::move(oom);
  }
  const auto* known = std::find_if(std::begin(kKnownLines), std::end(kKnownLines),
                                   [&](const KnownLine& row) { return Matches(row, lowered); });
  Explanation result;
  if (known == std::end(kKnownLines)) {
    result.cause = "This line is not known; nothing in it points to /dev/shm.";
    return result;
  }
  result.known = true;
  result.cause = known->cause;
  result.cure = known->cure;
  if (!known->number.empty()) result.bytes = NumberAfter(lowered, known->number);
  return result;
}

}  // namespace shm
