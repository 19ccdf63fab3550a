// HTTP/1.1 as RFC 9112 frames it, read by a second implementation: strict, slow, of whole texts,
// and without a word of the library that the server reads with.
#pragma once

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shm::http_reference {

inline std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

inline std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// All of `text`, or nothing.
inline std::optional<std::uint64_t> Number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The text up to the next CRLF, which is taken as well. A bare CR or LF is in no line.
inline std::optional<std::string_view> TakeLine(std::string_view& text) {
  const std::size_t end = text.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
    return std::nullopt;
  }
  text.remove_prefix(end + 2);
  return line;
}

using Fields = std::map<std::string, std::vector<std::string>>;  // lower-case names

// Up to and with the empty line. A line that is continued is one with a blank in between.
inline std::optional<Fields> TakeFields(std::string_view& text) {
  Fields fields;
  std::string* last = nullptr;
  for (;;) {
    const auto line = TakeLine(text);
    if (!line) return std::nullopt;
    if (line->empty()) return fields;
    if (line->front() == ' ' || line->front() == '\t') {
      if (!last) return std::nullopt;
      *last = Trim(*last + " " + std::string(Trim(*line)));
      continue;
    }
    const std::size_t colon = line->find(':');
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    const std::string name = Lower(line->substr(0, colon));
    if (name.find_first_of(" \t") != std::string::npos) return std::nullopt;
    last = &fields[name].emplace_back(Trim(line->substr(colon + 1)));
  }
}

inline std::optional<std::string> TakeBytes(std::string_view& text, std::uint64_t count) {
  if (text.size() < count) return std::nullopt;
  std::string bytes(text.substr(0, count));
  text.remove_prefix(count);
  return bytes;
}

inline std::optional<std::string> TakeChunks(std::string_view& text) {
  std::string body;
  for (;;) {
    const auto line = TakeLine(text);
    if (!line) return std::nullopt;
    const auto size = Number(Trim(line->substr(0, line->find(';'))), 16);
    if (!size) return std::nullopt;
    if (*size == 0) break;
    const auto chunk = TakeBytes(text, *size);
    if (!chunk || TakeBytes(text, 2) != "\r\n") return std::nullopt;
    body += *chunk;
  }
  return TakeFields(text) ? std::optional(body) : std::nullopt;
}

struct Request {
  std::string method;
  std::string target;
  Fields fields;
  std::string body;
  std::size_t header_bytes = 0;
};

inline std::optional<std::string> TakeBody(std::string_view& text, const Fields& fields) {
  const auto coding = fields.find("transfer-encoding");
  const auto length = fields.find("content-length");
  if (coding != fields.end()) {
    if (length != fields.end() || coding->second.size() != 1 ||
        Lower(coding->second[0]) != "chunked") {
      return std::nullopt;
    }
    return TakeChunks(text);
  }
  if (length == fields.end()) return "";
  if (length->second.size() != 1) return std::nullopt;
  const auto size = Number(length->second[0], 10);
  return size ? TakeBytes(text, *size) : std::nullopt;
}

// The next request of a connection; nothing where there is none that has one meaning only.
inline std::optional<Request> TakeRequest(std::string_view& text) {
  const std::size_t before = text.size();
  const auto line = TakeLine(text);
  if (!line) return std::nullopt;
  const std::size_t first = line->find(' ');
  const std::size_t second = line->rfind(' ');
  if (first == std::string_view::npos || first == second) return std::nullopt;
  const std::string_view version = line->substr(second + 1);
  auto fields = TakeFields(text);
  if (!fields || (version != "HTTP/1.1" && version != "HTTP/1.0")) return std::nullopt;
  if (version == "HTTP/1.1" && (*fields)["host"].size() != 1) return std::nullopt;
  if (version == "HTTP/1.0" && fields->contains("transfer-encoding")) return std::nullopt;
  Request request{std::string(line->substr(0, first)),
                  std::string(line->substr(first + 1, second - first - 1)), *std::move(fields), "",
                  before - text.size()};
  const auto body = TakeBody(text, request.fields);
  if (!body) return std::nullopt;
  request.body = *body;
  return request;
}

struct Response {
  int status = 0;
  Fields fields;
  std::string body;
};

// The next answer; an interim one and one to HEAD have no body.
inline std::optional<Response> TakeResponse(std::string_view& text, bool to_head) {
  const auto line = TakeLine(text);
  if (!line || !line->starts_with("HTTP/1.1 ") || line->size() < 14 || (*line)[12] != ' ') {
    return std::nullopt;
  }
  const auto status = Number(line->substr(9, 3), 10);
  auto fields = TakeFields(text);
  if (!status || !fields) return std::nullopt;
  Response response{static_cast<int>(*status), *std::move(fields), ""};
  if (*status < 200) return response;
  const auto length = response.fields.find("content-length");
  if (length == response.fields.end() || length->second.size() != 1) return std::nullopt;
  const auto size = Number(length->second[0], 10);
  if (!size) return std::nullopt;
  const auto body = TakeBytes(text, to_head ? 0 : *size);
  if (!body) return std::nullopt;
  response.body = *body;
  return response;
}

}  // namespace shm::http_reference
