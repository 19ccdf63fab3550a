#include "core/nccl.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "core/pod_env.h"
#include "core/quantity.h"

namespace shm {
namespace {

constexpr int kMaxChannels = 64;                      // MAXCHANNELS, src/include/nccl_device
constexpr int kDefaultRings = 4;                      // measured; also after MAX_NCHANNELS
constexpr int kP2pChannels = 2;                       // measured, channels of a send/recv pair
constexpr std::int64_t kHeaderBytes = 4'096;          // ncclSendMem and ncclRecvMem
constexpr std::int64_t kReferenceCountBytes = 4;      // behind every segment
constexpr std::int64_t kProxyPoolBytes = 34'210'176;  // ncclProxyOpsPool of NCCL 2.28.9
constexpr std::int64_t kUnset = -2;                   // what NCCL_PARAM takes for unset
constexpr std::int64_t kMaxBuffer = std::numeric_limits<std::int32_t>::max();

std::int64_t Pages(std::int64_t bytes) {
  return MultiplySaturating(AddSaturating(bytes, 4'095) / 4'096, 4'096);
}

// Reads the parameters of one environment and collects what is odd about them.
class Reader {
 public:
  Reader(const std::vector<EnvVar>& env, std::vector<std::string>* warnings)
      : env_(env), warnings_(warnings) {}

  // As NCCL's ncclLoadParam does (src/misc/param.cc): empty is unset, trailing text is ignored, no
  // digits are 0, out of range is the default.
  std::optional<std::int64_t> Number(const char* name) {
    if (env_.IsUnknown(name)) {
      Warn(name, " comes from a source that is not in the pod: NCCL's default is assumed");
      return std::nullopt;
    }
    const std::optional<std::string> value = env_.Value(name);
    if (!value || value->empty()) return std::nullopt;
    char* end = nullptr;
    errno = 0;
    const long long number = std::strtoll(value->c_str(), &end, 0);
    if (errno != 0) {
      Warn(name, "=" + Shown(*value) + " is out of range: NCCL takes its default");
      return std::nullopt;
    }
    if (*end != '\0') {
      Warn(name, "=" + Shown(*value) + " is no number: NCCL reads it as " + std::to_string(number));
    }
    return number;
  }

  // A parameter whose unset value NCCL writes as -2, kept in an int there.
  std::optional<std::int32_t> Int(const char* name) {
    const std::optional<std::int64_t> number = Number(name);
    if (!number || *number == kUnset) return std::nullopt;
    const auto narrow = static_cast<std::int32_t>(*number);
    if (narrow != *number) {
      Warn(name, "=" + std::to_string(*number) + " does not fit 32 bits: NCCL reads it as " +
                     std::to_string(narrow));
    }
    return narrow;
  }

  std::int64_t Buffer(const char* name, std::int64_t otherwise) {
    const std::optional<std::int64_t> number = Number(name);
    if (!number || *number == kUnset) return otherwise;
    if (*number >= 1 && *number <= kMaxBuffer) return *number;
    Warn(name, "=" + std::to_string(*number) + " is no size that NCCL can use (1 to " +
                   std::to_string(kMaxBuffer) + "): its default is assumed");
    return otherwise;
  }

  std::optional<std::string> Text(const char* name) const { return env_.Value(name); }

 private:
  static std::string Shown(const std::string& value) {
    constexpr std::size_t kShownBytes = 40;
    return value.size() <= kShownBytes ? value : value.substr(0, kShownBytes) + "…";
  }

  void Warn(const char* name, const std::string& what) {
    if (warnings_ != nullptr) warnings_->push_back(name + what);
  }

  PodEnv env_;
  std::vector<std::string>* warnings_;
};

// ncclGetLevel of src/graph/paths.cc: P2P is off with NCCL_P2P_DISABLE=1 and, where that is not
// set, with the level LOC, once written 0.
bool ReadP2p(Reader& reader) {
  if (reader.Number("NCCL_P2P_DISABLE").value_or(0) == 1) return false;
  const std::optional<std::string> level = reader.Text("NCCL_P2P_LEVEL");
  if (!level || level->empty()) return true;
  if (*level == "LOC") return false;
  const char first = level->front();
  return first < '0' || first > '9' || std::strtol(level->c_str(), nullptr, 0) != 0;
}

// ncclMinNchannels, ncclMaxNchannels of src/graph/connect.cc, with the names of before 2.5 and the
// CTA limits that are applied beside them.
void ReadChannels(Reader& reader, NcclSettings& settings) {
  const std::optional<int> old_min = reader.Int("NCCL_MIN_NRINGS");
  const std::optional<int> old_max = reader.Int("NCCL_MAX_NRINGS");
  int min = reader.Int("NCCL_MIN_NCHANNELS").value_or(old_min.value_or(0));
  int max = reader.Int("NCCL_MAX_NCHANNELS").value_or(old_max.value_or(kMaxChannels));
  max = std::max(max, 1);
  const int min_ctas = reader.Int("NCCL_MIN_CTAS").value_or(0);
  const int max_ctas = reader.Int("NCCL_MAX_CTAS").value_or(0);
  if (min_ctas > 0) min = std::max(min, min_ctas);
  if (max_ctas > 0) max = std::min(max, max_ctas);
  settings.min_channels = std::clamp(min, 0, kMaxChannels);
  settings.max_channels = std::clamp(max, 1, kMaxChannels);

  // ncclTopoComputeP2pChannels of src/graph/paths.cc: the maximum first, then the minimum.
  const int max_p2p = reader.Int("NCCL_MAX_P2P_NCHANNELS").value_or(kMaxChannels);
  const int min_p2p = reader.Int("NCCL_MIN_P2P_NCHANNELS").value_or(1);
  settings.max_p2p_channels = std::clamp(std::max(max_p2p, min_p2p), 1, kMaxChannels);
}

std::int64_t Segment(const NcclSettings& settings) {
  const std::int64_t buffers = AddSaturating(
      AddSaturating(settings.ll_buffer_size, settings.ll128_buffer_size), settings.buffer_size);
  return AddSaturating(Pages(AddSaturating(buffers, kHeaderBytes + kReferenceCountBytes)),
                       Pages(kHeaderBytes + kReferenceCountBytes));
}

std::int64_t Connections(const NcclSettings& settings, std::int64_t gpus) {
  const int rings =
      std::min(kMaxChannels,
               std::max(settings.min_channels, std::min(kDefaultRings, settings.max_channels)));
  const int pairs = std::min(kP2pChannels, settings.max_p2p_channels);
  return gpus * rings + gpus * (gpus - 1) * pairs + pairs + (settings.cumem ? 0 : 2 * rings);
}

}  // namespace

NcclSettings ReadNcclSettings(const std::vector<EnvVar>& env, std::vector<std::string>* warnings) {
  NcclSettings settings;
  if (env.empty()) return settings;
  Reader reader(env, warnings);
  settings.buffer_size = reader.Buffer("NCCL_BUFFSIZE", settings.buffer_size);
  settings.ll_buffer_size = reader.Buffer("NCCL_LL_BUFFSIZE", settings.ll_buffer_size);
  settings.ll128_buffer_size = reader.Buffer("NCCL_LL128_BUFFSIZE", settings.ll128_buffer_size);
  ReadChannels(reader, settings);
  settings.p2p = ReadP2p(reader);
  settings.shm = reader.Number("NCCL_SHM_DISABLE").value_or(0) != 1;
  // src/misc/cudawrap.cc: -2 asks the driver, anything else below 0 is off; the host buffers' own
  // -1 asks the driver, and anything but 0 is on.
  settings.cumem = reader.Int("NCCL_CUMEM_ENABLE").value_or(1) > 0;
  settings.cumem_host = reader.Int("NCCL_CUMEM_HOST_ENABLE").value_or(1) != 0;
  return settings;
}

std::int64_t PredictNcclBytes(const NcclSettings& settings, int gpus, int communicators) {
  constexpr int kMost = 1024;
  const std::int64_t ranks = std::clamp(gpus, 1, kMost);
  if (ranks == 1) return 0;
  const bool shm_serves = !settings.p2p && settings.shm;
  const bool net_serves = !settings.p2p && !settings.shm;
  const bool host_buffers = settings.cumem && settings.cumem_host;

  std::int64_t bytes = 0;
  if (!settings.cumem || net_serves) {
    bytes = MultiplySaturating(ranks + 2, Pages(kProxyPoolBytes + kReferenceCountBytes));
  }
  if (shm_serves && !host_buffers) {
    bytes =
        AddSaturating(bytes, MultiplySaturating(Connections(settings, ranks), Segment(settings)));
  }
  return MultiplySaturating(std::clamp(communicators, 1, kMost), bytes);
}

std::int64_t NcclProvisionBytes(const NcclSettings& settings, int gpus, int communicators) {
  NcclSettings worst = settings;
  worst.p2p = false;
  worst.cumem_host = false;
  return PredictNcclBytes(worst, gpus, communicators);
}

}  // namespace shm
