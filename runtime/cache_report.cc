#include "runtime/cache_report.h"

#include "runtime/log.h"

namespace shm::runtime {
namespace {

void CountListError(Metrics& metrics, const std::string& resource, const WatchReport& report) {
  metrics.Count("reflector_list_errors_total", "Lists that failed, by resource and reason.",
                {{"resource", resource}, {"reason", std::string(report.reason)}});
}

void WarnThatItFails(const std::string& resource, const std::string& of,
                     const WatchReport& report) {
  LogWarn("cache cannot follow", {{"resource", resource}, {"of", of}, {"error", report.error}});
}

}  // namespace

void ReportCache(Metrics& metrics, const std::string& resource, const std::string& of,
                 const WatchReport& report) {
  switch (report.kind) {
    case WatchReport::Kind::kListed:
      LogInfo("cache listed", {{"resource", resource},
                               {"of", of},
                               {"objects", report.objects},
                               {"streamed", report.streamed}});
      metrics.Count("reflector_lists_total", "Lists that were completed, by resource.",
                    {{"resource", resource}, {"streamed", report.streamed ? "true" : "false"}});
      break;
    case WatchReport::Kind::kStreamRefused:
      LogInfo("lists come in pages, the API server does not stream them",
              {{"resource", resource}, {"of", of}, {"error", report.error}});
      CountListError(metrics, resource, report);
      break;
    case WatchReport::Kind::kListFailed:
      WarnThatItFails(resource, of, report);
      CountListError(metrics, resource, report);
      break;
    case WatchReport::Kind::kWatchFailed:
    case WatchReport::Kind::kGarbage:
      WarnThatItFails(resource, of, report);
      metrics.Count("reflector_watch_errors_total", "Watches that failed, by resource and reason.",
                    {{"resource", resource}, {"reason", std::string(report.reason)}});
      break;
    case WatchReport::Kind::kWatchStarted:
      metrics.Count("reflector_watches_total", "Watches that were begun, by resource.",
                    {{"resource", resource}});
      break;
    case WatchReport::Kind::kReceived:
      metrics.Count("reflector_watched_objects_total",
                    "Objects and bookmarks that came by watches, by resource.",
                    {{"resource", resource}});
      break;
    case WatchReport::Kind::kWatchEnded:
      break;
  }
}

}  // namespace shm::runtime
