// Timestamps as the API writes them: RFC 3339, UTC.
#pragma once

#include <chrono>
#include <string>

namespace shm::kube {

// metav1.Time: "2026-01-31T12:00:00Z".
std::string Time(std::chrono::system_clock::time_point time);

// metav1.MicroTime: "2026-01-31T12:00:00.123456Z".
std::string MicroTime(std::chrono::system_clock::time_point time);

}  // namespace shm::kube
