#include "kube/timestamp.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace shm::kube {
namespace {

std::string Seconds(std::chrono::system_clock::time_point time) {
  const std::time_t seconds =
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  return text.data();
}

}  // namespace

std::string Time(std::chrono::system_clock::time_point time) { return Seconds(time) + "Z"; }

std::string MicroTime(std::chrono::system_clock::time_point time) {
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count() %
      1'000'000;
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), ".%06dZ", static_cast<int>(micros));
  return Seconds(time) + text.data();
}

}  // namespace shm::kube
