apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
  labels:
    app.kubernetes.io/instance: {{ .Release.Name }}
data:
  index.html: {{ printf "%s\n" .Values.greeting | quote }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
  labels:
    app.kubernetes.io/instance: {{ .Release.Name }}
spec:
  type: NodePort
  selector:
    app.kubernetes.io/instance: {{ .Release.Name }}
  ports:
    - name: http
      protocol: TCP
      port: 80
      targetPort: 8080
      nodePort: {{ .Values.nodePort }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels:
    app.kubernetes.io/instance: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  strategy:
    rollingUpdate:
      maxSurge: 1
      maxUnavailable: 0
  selector:
    matchLabels:
      app.kubernetes.io/instance: {{ .Release.Name }}
  template:
    metadata:
      labels:
        app.kubernetes.io/instance: {{ .Release.Name }}
      annotations:
        # Another greeting is another pod, so that all of them say the same in the end.
        greeting: {{ .Values.greeting | sha256sum | trunc 12 | quote }}
    spec:
      terminationGracePeriodSeconds: 10
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              app.kubernetes.io/instance: {{ .Release.Name }}
      containers:
        - name: web
          image: {{ .Values.image }}
          imagePullPolicy: IfNotPresent
          # As the first process of its pod, httpd itself would not hear that it is to end.
          command: [busybox, sh, -c, "trap 'exit 0' TERM; busybox httpd -f -p 8080 -h /www & wait"]
          ports:
            - containerPort: 8080
          readinessProbe:
            httpGet: {path: /, port: 8080}
            periodSeconds: 1
            successThreshold: 2
          # Longer than it takes until no node sends a request to a pod that is ending.
          lifecycle:
            preStop:
              exec:
                command: [busybox, sleep, "6"]
          resources:
            limits: {memory: 32Mi}
          volumeMounts:
            - name: www
              mountPath: /www
      volumes:
        - name: www
          configMap:
            name: {{ .Release.Name }}
