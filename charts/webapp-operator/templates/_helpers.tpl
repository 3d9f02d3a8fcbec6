{{/*
The same in every release, as in manifests/install.yaml. So a second release into one namespace, or for a namespace that another release looks after, is
refused by Helm (`cannot be imported into the current release`), where two operators would work against each other.
*/}}
{{- define "webapp-operator.name" -}}
webapp-operator
{{- end }}

{{/* What no value changes, as `npm run generate` wrote it to files/. @param 0: the root. @param 1: its name */}}
{{- define "webapp-operator.constant" -}}
{{- $file := printf "files/%s.yaml" (index . 1) }}
{{- (index . 0).Files.Get $file | required (printf "%s is missing from the chart" $file) | trimPrefix "# Written by `npm run generate`.\n" | trim }}
{{- end }}

{{/* Its own labels go last: selectors and the NetworkPolicies of WebApps go by them. @param 0: the root. @param 1: further labels */}}
{{- define "webapp-operator.labels" -}}
{{- $root := index . 0 }}
{{- $helm := dict
  "helm.sh/chart" (printf "%s-%s" $root.Chart.Name (replace "+" "_" $root.Chart.Version))
  "app.kubernetes.io/instance" $root.Release.Name
  "app.kubernetes.io/version" $root.Chart.AppVersion
  "app.kubernetes.io/managed-by" $root.Release.Service
}}
{{- toYaml (mergeOverwrite (dict) (default dict $root.Values.commonLabels) $helm (include "webapp-operator.constant" (list $root "labels") | fromYaml) (index . 1)) }}
{{- end }}

{{/* Of an object of the release's namespace. @param the root */}}
{{- define "webapp-operator.inPlace" -}}
name: {{ include "webapp-operator.name" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "webapp-operator.labels" (list . dict) | nindent 2 }}
{{- end }}

{{- define "webapp-operator.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (include "webapp-operator.name" .) }}
{{- end }}

{{/* roleRef and subjects. @param 0: the root. @param 1: kind. @param 2: name */}}
{{- define "webapp-operator.binding" -}}
{{- $root := index . 0 -}}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ index . 1 }}
  name: {{ index . 2 }}
subjects:
  - kind: ServiceAccount
    name: {{ include "webapp-operator.serviceAccountName" $root }}
    namespace: {{ $root.Release.Namespace }}
{{- end }}

{{/* @param 0: the root. @param 1: values.image or values.proxyImage */}}
{{- define "webapp-operator.image" -}}
{{- $root := index . 0 }}
{{- $image := index . 1 }}
{{- $path := $image.repository }}
{{- with $image.registry | default $root.Values.global.imageRegistry }}
{{- $path = printf "%s/%s" (trimSuffix "/" .) $path }}
{{- end }}
{{- if $image.digest }}
{{- printf "%s@%s" $path $image.digest }}
{{- else }}
{{- printf "%s:%s" $path ($image.tag | default $root.Chart.AppVersion) }}
{{- end }}
{{- end }}

{{- define "webapp-operator.priorityClassName" -}}
{{- .Values.priorityClass.name | default (ternary (include "webapp-operator.name" .) "" .Values.priorityClass.create) }}
{{- end }}

{{/* Where its pods go and who may pull their images: what the operator's and the test's share. @param the root */}}
{{- define "webapp-operator.placement" -}}
{{- with concat (default list .Values.global.imagePullSecrets) (default list .Values.imagePullSecrets) | uniq }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "webapp-operator.priorityClassName" . }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
