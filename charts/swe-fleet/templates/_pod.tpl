{{/* What all pods of ours have in common: Pod Security "restricted", read-only root, no token unless asked for. */}}

{{- define "fleet.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "fleet.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* Where pods go; give (dict "root" $ "component" .Values.gateway). */}}
{{- define "fleet.placement" -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .component.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .component.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .component.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .component.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .component.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The environment of operator, gateway and agent pool; give (dict "root" $ "user" "gateway"). */}}
{{- define "fleet.environment" -}}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: POD_UID
  valueFrom:
    fieldRef:
      fieldPath: metadata.uid
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: FLEET_RELEASE
  value: {{ .root.Release.Name | quote }}
- name: FLEET_NATS_USER
  value: {{ .user }}
- name: FLEET_NATS_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ include "fleet.natsUsersSecret" .root }}
      key: {{ .user }}
{{- end }}

{{/* A PodDisruptionBudget, by switch; give (dict "root" $ "component" "gateway"). */}}
{{- define "fleet.disruptionBudget" -}}
{{- if .root.Values.podDisruptionBudgets.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .root.Release.Name }}-{{ .component }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "fleet.meta" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "fleet.selector" . | nindent 6 }}
{{- end }}
{{- end }}
