#include "kube/token_source.h"

#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

namespace shm::kube {
namespace {

constexpr std::chrono::seconds kMaxAge{10};

std::optional<std::string> ReadToken(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string token((std::istreambuf_iterator<char>(stream)), {});
  if (!stream) return std::nullopt;
  const auto last = token.find_last_not_of(" \t\r\n");
  if (last == std::string::npos) return std::nullopt;
  token.resize(last + 1);
  return token;
}

}  // namespace

TokenSource::TokenSource(std::string fixed, std::string file, Clock& clock)
    : file_(std::move(file)), clock_(clock), token_(std::move(fixed)) {}

std::string TokenSource::Get() {
  MutexLock lock(mutex_);
  if (file_.empty()) return token_;
  const auto now = clock_.Now();
  if (!read_ || now - read_at_ >= kMaxAge) {
    if (auto token = ReadToken(file_)) {
      token_ = std::move(*token);
      read_ = true;
      read_at_ = now;
    }
  }
  return token_;
}

void TokenSource::Invalidate() {
  MutexLock lock(mutex_);
  read_ = false;
}

}  // namespace shm::kube
