{{- define "stateward.name" -}}
{{ .Values.fullnameOverride | default .Release.Name }}
{{- end }}

{{- define "stateward.instance" -}}
app.kubernetes.io/name: stateward
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "stateward.labels" -}}
{{ include "stateward.instance" . }}
app.kubernetes.io/part-of: stateward
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "stateward.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- /* The container of a component: the same image and confinement, other roles. Takes {root, roles, resources}. */ -}}
{{- define "stateward.container" -}}
{{- $name := include "stateward.name" .root -}}
{{- $values := .root.Values -}}
name: stateward
image: {{ printf "%s:%s" $values.image.repository ($values.image.tag | default .root.Chart.AppVersion) | quote }}
imagePullPolicy: {{ $values.image.pullPolicy }}
env:
  - name: POD_IP
    valueFrom:
      fieldRef:
        fieldPath: status.podIP
  # Prometheus calls a pod by its address.
  - name: STATEWARD_NAMES
    value: {{ printf "%s,%s.%s,%s.%s.svc,$(POD_IP)" $name $name .root.Release.Namespace $name .root.Release.Namespace | quote }}
  - name: STATEWARD_ROLES
    value: {{ .roles | quote }}
  - name: DATABASE_URL
    valueFrom:
      secretKeyRef:
        name: {{ $values.database.secretName }}
        key: url
  - name: DATABASE_DIRECT_URL
    valueFrom:
      secretKeyRef:
        name: {{ $values.database.secretName }}
        key: directUrl
        optional: true
  - name: DATABASE_OWNER_URL
    valueFrom:
      secretKeyRef:
        name: {{ $values.database.secretName }}
        key: ownerUrl
        optional: true
{{- with $values.extraEnv }}
  {{- toYaml . | nindent 2 }}
{{- end }}
envFrom:
  - configMapRef:
      name: {{ $name }}
  - secretRef:
      name: {{ $values.environmentSecret }}
      optional: true
ports:
  - name: http
    containerPort: {{ $values.ports.http }}
  - name: streams
    containerPort: {{ $values.ports.streams }}
  - name: https
    containerPort: {{ $values.ports.tls }}
# The kubelet calls a pod by its address, which is no name of the server: hence the header.
startupProbe:
  httpGet:
    path: /livez
    port: http
    httpHeaders:
      - name: Host
        value: localhost
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet:
    path: /livez
    port: http
    httpHeaders:
      - name: Host
        value: localhost
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
# Not /readyz: a state repo that is away must not take agents and operators their API.
readinessProbe:
  httpGet:
    path: /health
    port: http
    httpHeaders:
      - name: Host
        value: localhost
  periodSeconds: 5
  timeoutSeconds: 5
resources:
  {{- toYaml .resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop:
      - ALL
volumeMounts:
  - name: data
    mountPath: /data
  - name: tmp
    mountPath: /tmp
{{- with $values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* What the pod specs of both components end with. Takes {root, component}: the values of the component. */ -}}
{{- define "stateward.placement" -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .component.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .component.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
