{{- define "shm-operator.fullname" -}}
{{- default .Release.Name .Values.fullnameOverride | trunc 53 | trimSuffix "-" -}}
{{- end -}}

{{- define "shm-operator.webhookName" -}}
{{ include "shm-operator.fullname" . }}-webhook
{{- end -}}

{{- define "shm-operator.tlsSecret" -}}
{{ include "shm-operator.webhookName" . }}-tls
{{- end -}}

{{- define "shm-operator.caSecret" -}}
{{ include "shm-operator.fullname" . }}-ca
{{- end -}}

{{/* Neither a label nor a tag may have the + of build metadata. */}}
{{- define "shm-operator.version" -}}
{{- .Chart.AppVersion | replace "+" "_" -}}
{{- end -}}

{{- define "shm-operator.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default (include "shm-operator.version" $) .tag }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Call with (list CONTEXT COMPONENT). */}}
{{- define "shm-operator.selectorLabels" -}}
app.kubernetes.io/name: shm-operator
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "shm-operator.labels" -}}
{{ include "shm-operator.selectorLabels" . }}
{{- with index . 0 }}
app.kubernetes.io/version: {{ include "shm-operator.version" . | quote }}
app.kubernetes.io/part-of: shm-operator
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end -}}

{{/* The pod of one of the two programs. Call with (dict "context" . "component" … "program" … "values" … "ports" … "args" …). */}}
{{- define "shm-operator.pod" -}}
{{- $ := .context -}}
{{- $component := .component -}}
metadata:
  labels:
    {{- include "shm-operator.selectorLabels" (list $ .component) | nindent 4 }}
    app.kubernetes.io/version: {{ include "shm-operator.version" $ | quote }}
    app.kubernetes.io/part-of: shm-operator
    {{- with .values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # Settings are read once, at start.
    shm-operator.dev/config-checksum: {{ include "shm-operator.config" $ | sha256sum }}
    {{- with .values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ .serviceAccount }}
  automountServiceAccountToken: true
  # Service links would put SHM_OPERATOR_… variables, which are settings, into the environment.
  enableServiceLinks: false
  {{- $delay := 10 }}
  {{- range .values.extraArgs }}
  {{- if hasPrefix "--shutdown-delay=" . }}
  {{- $delay = trimPrefix "--shutdown-delay=" . | atoi }}
  {{- end }}
  {{- end }}
  # On SIGTERM a process goes on serving for {{ $delay }} s while endpoints drain, then finishes what it has begun.
  terminationGracePeriodSeconds: {{ add 35 $delay }}
  {{- with .values.hostNetwork }}
  hostNetwork: {{ . }}
  {{- end }}
  {{- with .values.dnsPolicy | default (ternary "ClusterFirstWithHostNet" "" (default false .values.hostNetwork)) }}
  dnsPolicy: {{ . }}
  {{- end }}
  {{- with $.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    seccompProfile:
      type: RuntimeDefault
  containers:
    - name: {{ .component }}
      image: {{ include "shm-operator.image" $ }}
      imagePullPolicy: {{ $.Values.image.pullPolicy }}
      command:
        - {{ .program }}
      args:
        - --config=/etc/shm-operator/config.yaml
        {{- range .args }}
        - {{ . }}
        {{- end }}
        {{- range .values.extraArgs }}
        - {{ . | quote }}
        {{- end }}
      env:
        - name: POD_NAME
          valueFrom:
            # apiVersion is the default, and this map is one value: without it, applying server-side what was applied
            # client-side is a conflict.
            fieldRef:
              apiVersion: v1
              fieldPath: metadata.name
      ports:
        {{- range .ports }}
        - name: {{ .name }}
          containerPort: {{ .port }}
          protocol: TCP
        {{- end }}
      livenessProbe:
        httpGet:
          path: /healthz
          port: metrics
        initialDelaySeconds: 10
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet:
          path: /readyz
          port: metrics
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: 3
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        runAsNonRoot: true
        capabilities:
          drop:
            - ALL
      {{- with .values.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        - name: config
          mountPath: /etc/shm-operator
          readOnly: true
  volumes:
    - name: config
      configMap:
        name: {{ include "shm-operator.fullname" $ }}
  topologySpreadConstraints:
    {{- with .values.topologySpreadConstraints }}
    {{- toYaml . | nindent 4 }}
    {{- else }}
    {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - maxSkew: 1
      topologyKey: {{ $key }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "shm-operator.selectorLabels" (list $ $component) | nindent 10 }}
    {{- end }}
    {{- end }}
  {{- with .values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* Call with (list CONTEXT COMPONENT NAME), where a drain is to take one replica at a time. */}}
{{- define "shm-operator.podDisruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ index . 2 }}
  namespace: {{ (index . 0).Release.Namespace }}
  labels:
    {{- include "shm-operator.labels" . | nindent 4 }}
spec:
  # Not minAvailable, which with one replica would hold up every drain of its node.
  maxUnavailable: 1
  # A replica that is not ready guards nothing.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "shm-operator.selectorLabels" . | nindent 6 }}
{{- end -}}

{{/* config.yaml: what both programs must agree on. */}}
{{- define "shm-operator.config" -}}
{{- with .Values.sizing -}}
sizePerGPU: {{ toString .sizePerGPU | quote }}
maxSize: {{ toString .maxSize | quote }}
memoryLimitPolicy: {{ .memoryLimitPolicy }}
memoryHeadroom: {{ toString .memoryHeadroom | quote }}
{{- end }}
audit: {{ .Values.admission.audit }}
logLevel: {{ .Values.log.level }}
logFormat: {{ .Values.log.format }}
tlsSecret: {{ include "shm-operator.tlsSecret" . }}
{{- with .Values.watchNamespaces }}
watchNamespaces:
  {{- range . }}
  - {{ . | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Names of the watched namespaces as a YAML flow list. Refused are those whose pods the webhook never sees. */}}
{{- define "shm-operator.watched" -}}
{{- range $name := list "kube-system" .Release.Namespace -}}
{{- if has $name $.Values.watchNamespaces -}}
{{- fail (printf "watchNamespaces: %q cannot be one of them: pods of kube-system and of the release's own namespace are never sized" $name) -}}
{{- end -}}
{{- end -}}
[{{ range $i, $name := .Values.watchNamespaces }}{{ if $i }}, {{ end }}{{ $name | quote }}{{ end }}]
{{- end -}}

{{/*
  A Role in each watched namespace, bound to a service account of the release.
  Call with (dict "context" . "component" … "name" … "rules" …).
*/}}
{{- define "shm-operator.namespacedRoles" -}}
{{- $ := .context -}}
{{- $component := .component -}}
{{- $name := .name -}}
{{- $rules := .rules -}}
{{- range $namespace := $.Values.watchNamespaces }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $name }}
  namespace: {{ $namespace | quote }}
  labels:
    {{- include "shm-operator.labels" (list $ $component) | nindent 4 }}
rules:
  {{- $rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $name }}
  namespace: {{ $namespace | quote }}
  labels:
    {{- include "shm-operator.labels" (list $ $component) | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    name: {{ $name }}
    namespace: {{ $.Release.Namespace }}
{{- end -}}
{{- end -}}

{{/* Flags of the rotation, as JSON. Refused is what the operator would refuse at its start. */}}
{{- define "shm-operator.rotation" -}}
{{- with .Values.certificates -}}
{{- if gt (int64 .leafLifetime) (int64 .caLifetime) -}}
{{- fail "certificates: leafLifetime is longer than caLifetime" -}}
{{- end -}}
{{- if gt (mul 3 (add .caPropagation .caOverlap)) (int64 .leafLifetime) -}}
{{- fail "certificates: caPropagation and caOverlap together are longer than a third of leafLifetime" -}}
{{- end -}}
{{- list
      (printf "--ca-lifetime=%d" (int64 .caLifetime))
      (printf "--leaf-lifetime=%d" (int64 .leafLifetime))
      (printf "--ca-propagation=%d" (int64 .caPropagation))
      (printf "--ca-overlap=%d" (int64 .caOverlap)) | toJson -}}
{{- end -}}
{{- end -}}
