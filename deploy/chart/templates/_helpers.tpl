{{- define "lazaretto.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "lazaretto.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "lazaretto.labels" -}}
{{ include "lazaretto.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") | quote }}
{{- end -}}

{{- define "lazaretto.claim" -}}
accessModes: [ReadWriteOnce]
resources:
  requests:
    storage: {{ .size | quote }}
{{- with .storageClass }}
storageClassName: {{ . | quote }}
{{- end }}
{{- end -}}
