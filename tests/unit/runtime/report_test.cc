// Log lines, metrics and health: what the process says of itself.
#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <nlohmann/json.hpp>

#include "runtime/health.h"
#include "runtime/log.h"
#include "runtime/metrics.h"
#include "runtime/signals.h"

namespace shm::runtime {
namespace {

TEST_CASE("A log line is one line of JSON whatever its values hold") {
  const std::string line =
      FormatLogLine(LogFormat::kJson, "pod admitted",
                    {{"name", "a\"b\n\xff"}, {"gpus", 2}, {"dry_run", true}, {"empty", ""}});
  const auto parsed = nlohmann::json::parse("{" + line + "}");
  CHECK(parsed["message"] == "pod admitted");
  CHECK(parsed["name"] == "a\"b\n\xEF\xBF\xBD");
  CHECK(parsed["gpus"] == 2);
  CHECK(parsed["dry_run"] == true);
  CHECK(parsed["empty"] == "");
  CHECK(line.find('\n') == std::string::npos);
}

TEST_CASE("A text line quotes only what needs it") {
  CHECK(FormatLogLine(LogFormat::kText, "pod admitted",
                      {{"name", "plain"}, {"why", "two words"}, {"none", ""}, {"gpus", 2}}) ==
        "pod admitted name=plain why=\"two words\" none=\"\" gpus=2");
}

TEST_CASE("Levels and formats have names, and others are refused") {
  CHECK(*ParseLogLevel("warn") == LogLevel::kWarn);
  CHECK(*ParseLogFormat("text") == LogFormat::kText);
  CHECK_FALSE(ParseLogLevel("WARN").ok());
  CHECK_FALSE(ParseLogFormat("xml").ok());
}

TEST_CASE("Metrics of one name are one family in the text") {
  Metrics metrics;
  metrics.Count("shm_test_total", "Tests.", {{"outcome", "good"}});
  metrics.Count("shm_test_total", "Tests.", {{"outcome", "bad"}});
  metrics.Count("shm_test_total", "Tests.", {{"outcome", "bad"}});
  metrics.Set("shm_test_level", "A level.", 1.5);
  metrics.Histogram("shm_test_seconds", "Seconds.", LatencyBounds()).Observe(0.0007);
  const std::string text = metrics.Exposition();
  CHECK(text.find("# HELP shm_test_total") == text.rfind("# HELP shm_test_total"));
  CHECK_THAT(text, Catch::Contains("shm_test_total{outcome=\"good\"} 1"));
  CHECK_THAT(text, Catch::Contains("shm_test_total{outcome=\"bad\"} 2"));
  CHECK_THAT(text, Catch::Contains("shm_test_level 1.5"));
  CHECK_THAT(text, Catch::Contains("shm_test_seconds_bucket{le=\"0.001\"} 1"));
}

Response Get(const Health& health, std::string_view path, const Metrics* metrics = nullptr) {
  Request request{};
  request.method = "GET";
  request.path = path;
  return health.Answer(request, metrics);
}

TEST_CASE("Health answers each question with its checks, and names the one that fails") {
  Health health;
  std::string lag;
  health.AddLiveness("watch", [] { return std::string(); });
  health.AddReadiness("cache", [&lag] { return lag; });
  CHECK(Get(health, "/healthz").body == "[+]watch ok\nok\n");
  CHECK(Get(health, "/readyz").status == 200);
  lag = "not listed yet";
  CHECK(Get(health, "/healthz").status == 200);
  CHECK(Get(health, "/readyz").status == 503);
  CHECK(Get(health, "/readyz").body == "[-]cache failed: not listed yet\n[+]watch ok\nfailed\n");
  CHECK(Get(health, "/metrics").status == 404);
  Metrics metrics;
  CHECK(Get(health, "/metrics", &metrics).status == 200);
  CHECK(Get(health, "/", &metrics).status == 404);
}

TEST_CASE("A13: a process that ends is alive and not ready") {
  Health health;
  health.StartShutdown();
  CHECK(Get(health, "/healthz").status == 200);
  CHECK(Get(health, "/readyz").status == 503);
}

TEST_CASE("SIGTERM is waited for, and a wait can be ended without one") {
  Signals signals;
  CHECK(signals.Wait(std::chrono::milliseconds(0)) == 0);
  std::raise(SIGTERM);
  CHECK(signals.Wait() == SIGTERM);
  signals.Wake();
  CHECK(signals.Wait() == 0);
}

}  // namespace
}  // namespace shm::runtime
