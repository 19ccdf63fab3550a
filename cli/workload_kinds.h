// Where the kinds of Kubernetes and of the operators around inference hold their pods' templates.
//
// Facts only. A path leads to objects of a pod template's shape (metadata and spec); "[]" stands
// for every element of a list, "{}" for every member of a map. Paths that a document lacks are
// passed over. A group stands for all its versions.
#pragma once

#include <string_view>

namespace shm::cli {

struct WorkloadKind {
  std::string_view group;  // "" is the core group
  std::string_view kind;
  std::string_view path;  // "" is the document itself
  // Where the number of pods that one replica spans stands, its "[]" being those of `path`; empty:
  // each pod is a replica.
  std::string_view nodes;
  // A label that the kind's controller gives its pods, with the name of the document; or empty.
  std::string_view name_label;
  std::string_view source;
};

inline constexpr std::string_view kKubernetes = "kubernetes/api";
inline constexpr std::string_view kLws =
    "kubernetes-sigs/lws api/leaderworkerset/v1/leaderworkerset_types.go (060ab4d)";
inline constexpr std::string_view kDisaggregatedSet =
    "kubernetes-sigs/lws api/disaggregatedset/v1/disaggregatedset_types.go (060ab4d)";
inline constexpr std::string_view kKubeRay =
    "ray-project/kuberay ray-operator/apis/ray/v1/*_types.go (feeaf72)";
inline constexpr std::string_view kJobSet =
    "kubernetes-sigs/jobset api/jobset/v1alpha2/jobset_types.go (08dfbdf)";
inline constexpr std::string_view kRollouts =
    "argoproj/argo-rollouts pkg/apis/rollouts/v1alpha1/types.go (9f8d111)";
inline constexpr std::string_view kTraining =
    "kubeflow/training-operator pkg/apis/kubeflow.org/v1/common_types.go (a55f03a), "
    "kubeflow/mpi-operator pkg/apis/kubeflow/v2beta1/types.go (caa3c47)";
inline constexpr std::string_view kTrainer =
    "kubeflow/trainer pkg/apis/trainer/v1alpha1/trainingruntime_types.go";
inline constexpr std::string_view kVolcano =
    "volcano-sh/apis pkg/apis/batch/v1alpha1/job.go (536f121)";
inline constexpr std::string_view kKthena =
    "volcano-sh/kthena pkg/apis/workload/v1alpha1/servinggroup_types.go (3cc0572)";
inline constexpr std::string_view kRbg =
    "sgl-project/rbg api/workloads/{v1alpha1,v1alpha2}/*_types.go (993491f)";
inline constexpr std::string_view kAibrix =
    "vllm-project/aibrix api/orchestration/v1alpha1/*_types.go (e3e10f9)";
inline constexpr std::string_view kDynamo =
    "ai-dynamo/dynamo deploy/operator/api/v1beta1/*_types.go (006b6e1)";
inline constexpr std::string_view kKnative =
    "knative/serving pkg/apis/serving/v1/*_types.go (98e5ef9)";
inline constexpr std::string_view kKaito = "kaito-project/kaito api/v1beta1/*_types.go (056b828)";
inline constexpr std::string_view kKruise =
    "openkruise/kruise apis/apps/{v1alpha1,v1beta1}/*_types.go (07169cf)";

inline constexpr std::string_view kLwsNameLabel = "leaderworkerset.sigs.k8s.io/name";
inline constexpr std::string_view kJobNameLabel = "batch.kubernetes.io/job-name";
inline constexpr std::string_view kRayClusterLabel = "ray.io/cluster";

inline constexpr WorkloadKind kWorkloadKinds[] = {
    {"", "Pod", "", "", "", kKubernetes},
    {"", "PodTemplate", "template", "", "", kKubernetes},
    {"", "ReplicationController", "spec.template", "", "", kKubernetes},
    {"apps", "Deployment", "spec.template", "", "", kKubernetes},
    {"apps", "ReplicaSet", "spec.template", "", "", kKubernetes},
    {"apps", "StatefulSet", "spec.template", "", "", kKubernetes},
    {"apps", "DaemonSet", "spec.template", "", "", kKubernetes},
    {"batch", "Job", "spec.template", "", kJobNameLabel, kKubernetes},
    {"batch", "CronJob", "spec.jobTemplate.spec.template", "", "", kKubernetes},

    {"leaderworkerset.x-k8s.io", "LeaderWorkerSet", "spec.leaderWorkerTemplate.leaderTemplate",
     "spec.leaderWorkerTemplate.size", kLwsNameLabel, kLws},
    {"leaderworkerset.x-k8s.io", "LeaderWorkerSet", "spec.leaderWorkerTemplate.workerTemplate",
     "spec.leaderWorkerTemplate.size", kLwsNameLabel, kLws},
    {"disaggregatedset.x-k8s.io", "DisaggregatedSet",
     "spec.roles[].spec.leaderWorkerTemplate.leaderTemplate",
     "spec.roles[].spec.leaderWorkerTemplate.size", "", kDisaggregatedSet},
    {"disaggregatedset.x-k8s.io", "DisaggregatedSet",
     "spec.roles[].spec.leaderWorkerTemplate.workerTemplate",
     "spec.roles[].spec.leaderWorkerTemplate.size", "", kDisaggregatedSet},

    {"ray.io", "RayCluster", "spec.headGroupSpec.template", "", kRayClusterLabel, kKubeRay},
    {"ray.io", "RayCluster", "spec.workerGroupSpecs[].template", "", kRayClusterLabel, kKubeRay},
    {"ray.io", "RayJob", "spec.rayClusterSpec.headGroupSpec.template", "", "", kKubeRay},
    {"ray.io", "RayJob", "spec.rayClusterSpec.workerGroupSpecs[].template", "", "", kKubeRay},
    {"ray.io", "RayJob", "spec.submitterPodTemplate", "", "", kKubeRay},
    {"ray.io", "RayService", "spec.rayClusterConfig.headGroupSpec.template", "", "", kKubeRay},
    {"ray.io", "RayService", "spec.rayClusterConfig.workerGroupSpecs[].template", "", "", kKubeRay},
    {"ray.io", "RayCronJob", "spec.jobTemplate.rayClusterSpec.headGroupSpec.template", "", "",
     kKubeRay},
    {"ray.io", "RayCronJob", "spec.jobTemplate.rayClusterSpec.workerGroupSpecs[].template", "", "",
     kKubeRay},

    {"jobset.x-k8s.io", "JobSet", "spec.replicatedJobs[].template.spec.template", "", "", kJobSet},
    {"argoproj.io", "Rollout", "spec.template", "", "", kRollouts},
    {"kubeflow.org", "PyTorchJob", "spec.pytorchReplicaSpecs{}.template", "", "", kTraining},
    {"kubeflow.org", "TFJob", "spec.tfReplicaSpecs{}.template", "", "", kTraining},
    {"kubeflow.org", "XGBoostJob", "spec.xgbReplicaSpecs{}.template", "", "", kTraining},
    {"kubeflow.org", "PaddleJob", "spec.paddleReplicaSpecs{}.template", "", "", kTraining},
    {"kubeflow.org", "JAXJob", "spec.jaxReplicaSpecs{}.template", "", "", kTraining},
    {"kubeflow.org", "MPIJob", "spec.mpiReplicaSpecs{}.template", "", "", kTraining},
    {"trainer.kubeflow.org", "TrainingRuntime",
     "spec.template.spec.replicatedJobs[].template.spec.template", "", "", kTrainer},
    {"trainer.kubeflow.org", "ClusterTrainingRuntime",
     "spec.template.spec.replicatedJobs[].template.spec.template", "", "", kTrainer},
    {"batch.volcano.sh", "Job", "spec.tasks[].template", "", "", kVolcano},
    {"workload.serving.volcano.sh", "ModelServing", "spec.template.roles[].entryTemplate", "", "",
     kKthena},
    {"workload.serving.volcano.sh", "ModelServing", "spec.template.roles[].workerTemplate", "", "",
     kKthena},

    {"workloads.x-k8s.io", "RoleBasedGroup", "spec.roles[].template",
     "spec.roles[].leaderWorkerSet.size", "", kRbg},
    {"workloads.x-k8s.io", "RoleBasedGroup", "spec.roles[].components[].template",
     "spec.roles[].components[].size", "", kRbg},
    {"workloads.x-k8s.io", "RoleBasedGroup", "spec.roleTemplates[].template", "", "", kRbg},
    {"workloads.x-k8s.io", "RoleBasedGroup", "spec.roles[].standalonePattern.template", "", "",
     kRbg},
    {"workloads.x-k8s.io", "RoleBasedGroup", "spec.roles[].leaderWorkerPattern.template",
     "spec.roles[].leaderWorkerPattern.size", "", kRbg},
    {"workloads.x-k8s.io", "RoleBasedGroup",
     "spec.roles[].customComponentsPattern.components[].template",
     "spec.roles[].customComponentsPattern.components[].size", "", kRbg},

    {"orchestration.aibrix.ai", "StormService", "spec.template.spec.roles[].template",
     "spec.template.spec.roles[].podGroupSize", "", kAibrix},
    {"orchestration.aibrix.ai", "RoleSet", "spec.roles[].template", "spec.roles[].podGroupSize", "",
     kAibrix},
    {"orchestration.aibrix.ai", "PodSet", "spec.template", "spec.podGroupSize", "", kAibrix},
    {"orchestration.aibrix.ai", "RayClusterFleet", "spec.template.spec.headGroupSpec.template", "",
     "", kAibrix},
    {"orchestration.aibrix.ai", "RayClusterFleet", "spec.template.spec.workerGroupSpecs[].template",
     "", "", kAibrix},
    {"orchestration.aibrix.ai", "RayClusterReplicaSet", "spec.template.spec.headGroupSpec.template",
     "", "", kAibrix},
    {"orchestration.aibrix.ai", "RayClusterReplicaSet",
     "spec.template.spec.workerGroupSpecs[].template", "", "", kAibrix},

    {"nvidia.com", "DynamoGraphDeployment", "spec.components[].podTemplate",
     "spec.components[].multinode.nodeCount", "", kDynamo},
    {"nvidia.com", "DynamoComponentDeployment", "spec.podTemplate", "spec.multinode.nodeCount", "",
     kDynamo},
    {"serving.knative.dev", "Service", "spec.template", "", "", kKnative},
    {"serving.knative.dev", "Configuration", "spec.template", "", "", kKnative},
    {"kaito.sh", "Workspace", "inference.template", "", "", kKaito},
    {"kaito.sh", "InferenceSet", "spec.template.inference.template", "", "", kKaito},
    {"apps.kruise.io", "CloneSet", "spec.template", "", "", kKruise},
    {"apps.kruise.io", "StatefulSet", "spec.template", "", "", kKruise},
    {"apps.kruise.io", "DaemonSet", "spec.template", "", "", kKruise},
    {"apps.kruise.io", "BroadcastJob", "spec.template", "", "", kKruise},
};

}  // namespace shm::cli
