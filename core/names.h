// Names that users, other programs and the API server see. They are part of the interface: a change
// of any of them breaks installations.
#pragma once

namespace shm::names {

inline constexpr const char* kGroup = "shm-operator.dev";
inline constexpr const char* kVersion = "v1alpha1";
inline constexpr const char* kApiVersion = "shm-operator.dev/v1alpha1";
inline constexpr const char* kKind = "InferenceService";
inline constexpr const char* kPlural = "inferenceservices";
inline constexpr const char* kFieldManager = "shm-operator";
inline constexpr const char* kPrefix = "shm-operator.dev/";  // of labels and annotations

// Labels of pods.
inline constexpr const char* kServiceLabel = "shm-operator.dev/service";    // ties to a service
inline constexpr const char* kInjectLabel = "shm-operator.dev/inject";      // "false" opts out
inline constexpr const char* kInjectedLabel = "shm-operator.dev/injected";  // "true": we were here

// Annotations read from pods.
inline constexpr const char* kShmSizeAnnotation = "shm-operator.dev/shm-size";
inline constexpr const char* kGpuCountAnnotation = "shm-operator.dev/gpu-count";
inline constexpr const char* kTensorParallelSizeAnnotation =
    "shm-operator.dev/tensor-parallel-size";
inline constexpr const char* kPipelineParallelSizeAnnotation =
    "shm-operator.dev/pipeline-parallel-size";
inline constexpr const char* kDataParallelSizeAnnotation = "shm-operator.dev/data-parallel-size";
// Written to pods.
inline constexpr const char* kInjectionAnnotation = "shm-operator.dev/injection";
// Written to our Deployments: the generation whose numbers their template carries.
inline constexpr const char* kStampedGenerationAnnotation = "shm-operator.dev/stamped-generation";

// Of Namespaces: the label that opens one to the webhook, and annotations with its defaults.
inline constexpr const char* kNamespaceLabel = "shm-operator.dev/injection";
inline constexpr const char* kNamespaceEnabled = "enabled";
inline constexpr const char* kSizePerGpuAnnotation = "shm-operator.dev/size-per-gpu";
inline constexpr const char* kMaxSizeAnnotation = "shm-operator.dev/max-size";
inline constexpr const char* kMemoryLimitPolicyAnnotation = "shm-operator.dev/memory-limit-policy";

// In pods.
inline constexpr const char* kVolume = "shm-operator-dshm";
inline constexpr const char* kMountPath = "/dev/shm";
inline constexpr const char* kDefaultGpuResource = "nvidia.com/gpu";
inline constexpr const char* kTensorParallelSizeEnv = "TENSOR_PARALLEL_SIZE";
inline constexpr const char* kPipelineParallelSizeEnv = "PIPELINE_PARALLEL_SIZE";
inline constexpr const char* kNcclCumemEnv = "NCCL_CUMEM_ENABLE";
inline constexpr const char* kNcclCumemHostEnv = "NCCL_CUMEM_HOST_ENABLE";

// Other projects' names that are understood.
inline constexpr const char* kLwsSizeAnnotation = "leaderworkerset.sigs.k8s.io/size";
inline constexpr const char* kRayNodeCountEnv = "RAY_NODE_COUNT";  // KServe, multi-node
inline constexpr const char* kCrioShmSizeAnnotation = "io.kubernetes.cri-o.ShmSize";
inline constexpr const char* kMirrorAnnotation = "kubernetes.io/config.mirror";  // static pods

}  // namespace shm::names
