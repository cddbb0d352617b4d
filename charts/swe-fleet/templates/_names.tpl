{{/* Names and labels: everything is called <release>-<component>. */}}

{{- define "fleet.labels" -}}
app.kubernetes.io/name: swe-fleet
app.kubernetes.io/instance: {{ .release | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* Labels of an object of ours; give (dict "root" $ "component" "gateway"). */}}
{{- define "fleet.meta" -}}
{{ include "fleet.labels" (dict "release" .root.Release.Name "component" .component) }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: swe-fleet
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* What a selector matches; never changed, as selectors are immutable. */}}
{{- define "fleet.selector" -}}
{{ include "fleet.labels" (dict "release" .root.Release.Name "component" .component) }}
{{- end }}

{{- define "fleet.operatorUser" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ .Release.Name }}-operator
{{- end }}

{{- define "fleet.image" -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag }}
{{- end -}}
{{- end }}

{{- define "fleet.ownImage" -}}
{{ include "fleet.image" (dict "repository" .Values.image.repository "digest" .Values.image.digest "tag" (.Values.image.tag | default .Chart.AppVersion)) }}
{{- end }}

{{- define "fleet.natsUrl" -}}
{{- if .Values.nats.enabled -}}
tls://{{ .Release.Name }}-nats.{{ .Release.Namespace }}.svc:4222
{{- else -}}
{{ required "nats.url is needed when nats.enabled is false" .Values.nats.url }}
{{- end -}}
{{- end }}

{{- define "fleet.natsUsersSecret" -}}
{{- if .Values.nats.enabled -}}
{{ .Values.nats.usersSecretName | default (printf "%s-nats-users" .Release.Name) }}
{{- else -}}
{{ required "nats.usersSecretName is needed when nats.enabled is false" .Values.nats.usersSecretName }}
{{- end -}}
{{- end }}

{{/* Where NATS tells KEDA how many commands wait. */}}
{{- define "fleet.natsMonitor" -}}
{{- if .Values.nats.enabled -}}
{{ .Release.Name }}-nats.{{ .Release.Namespace }}.svc:8222
{{- else -}}
{{ required "agentPool.keda.monitoringEndpoint is needed when nats.enabled is false" .Values.agentPool.keda.monitoringEndpoint }}
{{- end -}}
{{- end }}

{{/* Binds a ValidatingAdmissionPolicy to everything; give (dict "root" $ "policy" "story-gates"). */}}
{{- define "fleet.policyBinding" -}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ .root.Release.Name }}-{{ .policy }}
  labels:
    {{- include "fleet.meta" (dict "root" .root "component" "admission") | nindent 4 }}
spec:
  policyName: {{ .root.Release.Name }}-{{ .policy }}
  validationActions: [Deny]
{{- end }}
