// Lines out of chunks of bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace shm::kube {

class LineSplitter {
 public:
  enum class Outcome { kMore, kStopped, kTooLong };

  // Lines longer than `max_bytes` end the splitting with kTooLong.
  explicit LineSplitter(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  // Calls `consumer(line)` for every line that `chunk` completes, without its newline (and carriage
  // return) and not for empty ones, until one returns false.
  template <typename Consumer>
  Outcome Feed(std::string_view chunk, const Consumer& consumer) {
    for (;;) {
      const std::size_t end = chunk.find('\n');
      const std::size_t length = end == std::string_view::npos ? chunk.size() : end;
      if (partial_.size() + length > max_bytes_) return Outcome::kTooLong;
      if (end == std::string_view::npos) {
        partial_.append(chunk);
        return Outcome::kMore;
      }
      if (!Complete(chunk.substr(0, end), consumer)) return Outcome::kStopped;
      chunk.remove_prefix(end + 1);
    }
  }

  // What follows the last newline.
  const std::string& partial() const { return partial_; }

 private:
  template <typename Consumer>
  bool Complete(std::string_view tail, const Consumer& consumer) {
    std::string joined;
    if (!partial_.empty()) {
      joined = std::move(partial_);
      partial_.clear();
      joined.append(tail);
      tail = joined;
    }
    if (!tail.empty() && tail.back() == '\r') tail.remove_suffix(1);
    return tail.empty() || consumer(tail);
  }

  const std::size_t max_bytes_;
  std::string partial_;
};

}  // namespace shm::kube
