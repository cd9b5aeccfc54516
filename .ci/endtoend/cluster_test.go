package endtoend

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"github.com/ucwa-conform/ucwa-conform/suite/prove"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// manifests are what a file or a kustomization of docs/kubernetes holds, as the API's own types have it.
type manifests struct {
	configMaps map[string]corev1.ConfigMap
	claims     map[string]corev1.PersistentVolumeClaim
	cronJobs   map[string]batchv1.CronJob
	jobs       []batchv1.Job
}

// strictly decodes documents of YAML, and refuses what the API does not know.
func strictly(t *testing.T, content []byte) manifests {
	t.Helper()
	m := manifests{map[string]corev1.ConfigMap{}, map[string]corev1.PersistentVolumeClaim{}, map[string]batchv1.CronJob{}, nil}
	for _, document := range regexp.MustCompile(`(?m)^---\n`).Split(string(content), -1) {
		var head struct{ Kind string }
		if err := yaml.Unmarshal([]byte(document), &head); err != nil {
			t.Fatal(err)
		}
		decode := func(into any) {
			if err := yaml.UnmarshalStrict([]byte(document), into); err != nil {
				t.Fatalf("%s: %v", head.Kind, err)
			}
		}
		switch head.Kind {
		case "ConfigMap":
			var o corev1.ConfigMap
			decode(&o)
			m.configMaps[o.Name] = o
		case "PersistentVolumeClaim":
			var o corev1.PersistentVolumeClaim
			decode(&o)
			m.claims[o.Name] = o
		case "CronJob":
			var o batchv1.CronJob
			decode(&o)
			m.cronJobs[o.Name] = o
		case "Job":
			var o batchv1.Job
			decode(&o)
			m.jobs = append(m.jobs, o)
		default:
			t.Fatalf("a document of kind %q", head.Kind)
		}
	}
	return m
}

// built is what kustomize makes of a directory.
func built(t *testing.T, dir string) manifests {
	t.Helper()
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	content, err := made.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return strictly(t, content)
}

const kubernetes = "../../docs/kubernetes"

// TestManifests holds that the manifests are what the API takes, that what they name is there, and that pods may do nothing but their work.
func TestManifests(t *testing.T) {
	job, err := os.ReadFile(filepath.Join(kubernetes, "job.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]manifests{"base": built(t, filepath.Join(kubernetes, "base")), "shards": built(t, filepath.Join(kubernetes, "shards")), "job.yaml": strictly(t, job)} {
		specs := map[string]batchv1.JobSpec{}
		for _, j := range m.jobs {
			if j.Name != "" || j.GenerateName == "" {
				t.Errorf("%s: a Job of a name of its own runs once, and no more", name)
			}
			specs[j.GenerateName] = j.Spec
		}
		for _, c := range m.cronJobs {
			if c.Spec.ConcurrencyPolicy != batchv1.ForbidConcurrent {
				t.Errorf("%s: %s may run twice at once", name, c.Name)
			}
			specs[c.Name] = c.Spec.JobTemplate.Spec
		}
		for of, spec := range specs {
			pod := spec.Template.Spec
			container := pod.Containers[0]
			switch {
			case pod.RestartPolicy != corev1.RestartPolicyNever, spec.PodFailurePolicy == nil, spec.ActiveDeadlineSeconds == nil, spec.TTLSecondsAfterFinished == nil:
				t.Errorf("%s, %s: it has no failure policy, or no end", name, of)
			case !*pod.SecurityContext.RunAsNonRoot, !*container.SecurityContext.ReadOnlyRootFilesystem, *pod.AutomountServiceAccountToken, pod.SecurityContext.RunAsUser != nil:
				t.Errorf("%s, %s: it may more than it needs, or is pinned to a user", name, of)
			case container.Resources.Limits.Memory().IsZero(), container.Resources.Requests.Cpu().IsZero(), container.Command != nil:
				t.Errorf("%s, %s: it asks for no memory or no processor, or has a command of its own", name, of)
			}
			for _, v := range pod.Volumes {
				if c := v.ConfigMap; c != nil && name != "job.yaml" && m.configMaps[c.Name].Name == "" { // that of job.yaml is made by a command
					t.Errorf("%s, %s: there is no ConfigMap %s", name, of, c.Name)
				}
				if c := v.PersistentVolumeClaim; c != nil && m.claims[c.ClaimName].Name == "" {
					t.Errorf("%s, %s: there is no claim %s", name, of, c.ClaimName)
				}
			}
			if spec.CompletionMode != nil {
				n := fmt.Sprint(*spec.Completions)
				if !slices.Contains(container.Args, "--shards="+n) || fmt.Sprint(*spec.Parallelism) != n || fmt.Sprint(*spec.MaxFailedIndexes) != n || spec.BackoffLimitPerIndex == nil {
					t.Errorf("%s, %s: the number of shards differs: %v", name, of, container.Args)
				}
			}
		}
	}
}

// fault is what becomes of a pod.
type fault string

const (
	well    fault = ""
	evicted fault = "evicted" // SIGTERM, and the condition DisruptionTarget
	killed  fault = "killed"  // SIGKILL, as of a node that is lost without a word
	starved fault = "killed for want of memory"
	never   fault = "never started" // as where a quota, or no node, has room for it
)

// cluster plays the Job controller and the kubelet with processes: indices, environment, mounts, retries, and whatever a failure policy says.
type cluster struct {
	t         *testing.T
	mounts    map[string]string // directories, by the name of a claim, a ConfigMap or a Secret
	requests  *counter
	faults    func(index, attempt int) fault
	beforePod func(index, attempt int)
}

// counter counts the requests that servers get, and calls back.
type counter struct {
	sync.Mutex
	n     int
	calls map[int][]func()
}

func (c *counter) hit() {
	c.Lock()
	c.n++
	calls := c.calls[c.n]
	delete(c.calls, c.n)
	c.Unlock()
	for _, f := range calls {
		f()
	}
}

// after calls f when so many requests more have come.
func (c *counter) after(n int, f func()) {
	c.Lock()
	defer c.Unlock()
	c.calls[c.n+n] = append(c.calls[c.n+n], f)
}

// pod runs a pod to its end, with a fault, and returns its exit code, what it wrote, and whether the fault came in time.
func (c *cluster) pod(spec corev1.PodSpec, job string, index int, f fault, seed *rand.Rand) (code int, stdout, stderr string, hit bool) {
	container := spec.Containers[0]
	env := map[string]string{"JOB_COMPLETION_INDEX": strconv.Itoa(index), "KUBERNETES_SERVICE_HOST": "10.0.0.1"}
	for _, e := range container.Env {
		env[e.Name] = e.Value
		if e.ValueFrom != nil { // the name of the Job is what the manifests take from fields
			env[e.Name] = job
		}
	}
	mounted := map[string]string{}
	for _, v := range spec.Volumes {
		for _, m := range container.VolumeMounts {
			if m.Name != v.Name {
				continue
			}
			switch {
			case v.ConfigMap != nil:
				mounted[m.MountPath] = c.mounts[v.ConfigMap.Name]
			case v.Secret != nil:
				mounted[m.MountPath] = c.mounts[v.Secret.SecretName]
			case v.PersistentVolumeClaim != nil:
				mounted[m.MountPath] = c.mounts[v.PersistentVolumeClaim.ClaimName]
			}
		}
	}
	var args []string
	for _, arg := range container.Args {
		for name, value := range env {
			arg = strings.ReplaceAll(arg, "$("+name+")", value)
		}
		for at, dir := range mounted {
			arg = regexp.MustCompile(`(^|=)`+at+`(/|$)`).ReplaceAllString(arg, "${1}"+dir+"${2}")
		}
		args = append(args, arg)
	}
	cmd := exec.Command(program, args...)
	if f == starved {
		cmd = inLittleMemory(c.t, cmd)
	}
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent"}
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	sent := make(chan struct{})
	var once sync.Once
	if signal := map[fault]syscall.Signal{evicted: syscall.SIGTERM, killed: syscall.SIGKILL}[f]; signal != 0 {
		c.requests.after(1+seed.IntN(120), func() {
			once.Do(func() {
				_ = cmd.Process.Signal(signal)
				close(sent)
			})
		})
	}
	err := cmd.Wait()
	once.Do(func() {}) // a signal that comes too late is not sent
	if exited := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exited) {
		c.t.Fatal(err)
	}
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if code = status.ExitStatus(); status.Signaled() {
		code = 128 + int(status.Signal())
	}
	select {
	case <-sent:
		hit = true
	default:
		hit = f == starved && code == 137
	}
	return code, out.String(), said.String(), hit
}

// index runs the pods of an index until it has succeeded or failed, and returns the last exit code, its logs, and whether it came to an end.
func (c *cluster) index(spec batchv1.JobSpec, job string, index int, seed *rand.Rand) (code int, logs []string, ended bool) {
	limit := int64(6) // where a Job names none
	if spec.BackoffLimitPerIndex != nil {
		limit = int64(*spec.BackoffLimitPerIndex)
	} else if spec.BackoffLimit != nil {
		limit = int64(*spec.BackoffLimit)
	}
	failures := int64(0)
	for attempt := 0; ; attempt++ {
		f := well
		if c.faults != nil {
			f = c.faults(index, attempt)
		}
		if f == never {
			return -1, logs, false
		}
		if c.beforePod != nil {
			c.beforePod(index, attempt)
		}
		code, stdout, stderr, hit := c.pod(spec.Template.Spec, job, index, f, seed)
		if !(f == evicted && hit) { // the log of a pod goes with it
			logs = append(logs, stdout)
		}
		c.t.Logf("%s, index %d, attempt %d: %s, exit code %d", job, index, attempt, f, code)
		if strings.Contains(stderr, "panic") || code == 2 {
			c.t.Logf("%s", stderr)
		}
		if code == 0 {
			return code, logs, true
		}
		action := batchv1.PodFailurePolicyActionCount
		for _, rule := range spec.PodFailurePolicy.Rules {
			disrupted := len(rule.OnPodConditions) > 0 && rule.OnPodConditions[0].Type == corev1.DisruptionTarget && f == evicted && hit
			if disrupted || rule.OnExitCodes != nil && slices.Contains(rule.OnExitCodes.Values, int32(code)) {
				action = rule.Action
				break
			}
		}
		switch action {
		case batchv1.PodFailurePolicyActionFailIndex, batchv1.PodFailurePolicyActionFailJob:
			return code, logs, true
		case batchv1.PodFailurePolicyActionIgnore:
			if attempt > 20 {
				c.t.Fatalf("%s is evicted again and again", job)
			}
			continue
		}
		if failures++; failures > limit {
			return code, logs, false
		}
	}
}

// job runs a Job to its end. It returns the last exit code of each index, the logs of its pods, and whether all indices came to an end.
func (c *cluster) job(spec batchv1.JobSpec, job string, seed uint64) (codes []int, logs []string, ended bool) {
	n := 1
	if spec.CompletionMode != nil && *spec.CompletionMode == batchv1.IndexedCompletion {
		n = int(*spec.Completions)
	}
	codes, ended = make([]int, n), true
	var lock sync.Mutex
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() {
			code, own, end := c.index(spec, job, i, rand.New(rand.NewPCG(seed, uint64(i))))
			lock.Lock()
			defer lock.Unlock()
			codes[i], logs, ended = code, append(logs, own...), ended && end
		})
	}
	wait.Wait()
	return codes, logs, ended
}

// inLittleMemory has a command run where the kernel kills it for want of memory.
func inLittleMemory(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	const limit = "20000000"
	for _, version := range []struct{ root, file string }{{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, {"/sys/fs/cgroup", "memory.max"}} {
		dir := filepath.Join(version.root, fmt.Sprintf("conform-test-%d-%d", os.Getpid(), rand.Uint32()))
		if _, err := os.Stat(filepath.Join(version.root, "cgroup.procs")); err != nil || os.Mkdir(dir, 0o700) != nil {
			continue
		}
		t.Cleanup(func() { _ = os.Remove(dir) })
		if os.WriteFile(filepath.Join(dir, version.file), []byte(limit), 0o600) == nil {
			_ = os.WriteFile(filepath.Join(dir, "memory.swap.max"), []byte("0"), 0o600)
			return exec.Command("sh", append([]string{"-c", `echo $$ >"$0"/cgroup.procs && exec "$@"`, dir}, cmd.Args...)...)
		}
	}
	t.Log("no group of processes with a limit can be made here: it is killed by a signal")
	return exec.Command("sh", "-c", "kill -9 $$")
}

// deployment is a server with users, which can be made faulty or dead while it runs.
type deployment struct {
	*ucwatest.Server
	port, certificate string
	mode              string
}

const hosts = "lyncdiscoverinternal.contoso.com webdir.contoso.com lyncweb.contoso.com"

func newDeployment(t *testing.T, requests *counter, users int) *deployment {
	t.Helper()
	d := &deployment{Server: ucwatest.New(ucwatest.Config{Host: "lyncweb.contoso.com", SignIn: &ucwatest.SignIn{Redirect: "https://webdir.contoso.com", Pool: "https://lyncweb.contoso.com"}})}
	for i := range users {
		d.AddUser(ucwatest.User{Name: fmt.Sprint("User ", i), URI: fmt.Sprintf("sip:user-%d@contoso.com", i), Password: fmt.Sprint("Passw0rd-", i)})
	}
	broken, err := prove.FaultNamed("set-presence.2.status/200")
	if err != nil {
		t.Fatal(err)
	}
	faulty := broken.Handler(d.Server)
	running, err := ucwatest.StartTLS(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.hit()
		switch d.mode {
		case "nonconformant":
			faulty.ServeHTTP(w, r)
		case "dead":
			panic(http.ErrAbortHandler)
		default:
			d.ServeHTTP(w, r)
		}
	}), ucwatest.Options{Hosts: strings.Fields(hosts), ErrorLog: log.New(io.Discard, "", 0)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(running.Close)
	u, err := url.Parse(running.URL)
	if err != nil {
		t.Fatal(err)
	}
	d.port, d.certificate = u.Port(), string(running.Certificate)
	if block, _ := pem.Decode(running.Certificate); block == nil {
		t.Fatal("no certificate")
	}
	return d
}

// site is a cluster with two deployments and a list of targets on them, two of each user.
type site struct {
	*cluster
	good, bad *deployment
	list      string
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{cluster: &cluster{t: t, mounts: map[string]string{}, requests: &counter{calls: map[int][]func(){}}}}
	s.good, s.bad = newDeployment(t, s.requests, 5), newDeployment(t, s.requests, 5)
	var list strings.Builder
	list.WriteString("event-wait: 3s\ntargets:\n")
	for i := range 10 {
		d, ca := s.good, "good.pem"
		if i%5 == 4 { // one user, who is of the other deployment
			d, ca = s.bad, "bad.pem"
		}
		fmt.Fprintf(&list, "  - name: target-%d\n    sip: sip:user-%d@contoso.com\n    cacert: %s\n    resolve: [\"*:443:127.0.0.1:%s\", \"*:80:127.0.0.1:1\"]\n", i, i%5, ca, d.port)
	}
	s.list = list.String()
	s.mounts["conform-reports"], s.mounts["conform-shard-reports"], s.mounts["conform-passwords"] = t.TempDir(), t.TempDir(), t.TempDir()
	for i := range 10 {
		write(t, filepath.Join(s.mounts["conform-passwords"], fmt.Sprint("target-", i)), fmt.Sprint("Passw0rd-", i%5), 0o440)
	}
	return s
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// applied are the manifests of a directory with the list of the site, in a copy.
func (s *site) applied(dir string, edit func(file, content string) string) manifests {
	s.t.Helper()
	to := s.t.TempDir()
	files, err := os.ReadDir(filepath.Join(kubernetes, dir))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(kubernetes, dir, f.Name()))
		if err != nil {
			s.t.Fatal(err)
		}
		text := strings.Replace(string(content), "files: [targets.yaml]", "files: [targets.yaml, good.pem, bad.pem]", 1)
		if edit != nil {
			text = edit(f.Name(), text)
		}
		write(s.t, filepath.Join(to, f.Name()), text, 0o600)
	}
	write(s.t, filepath.Join(to, "targets.yaml"), s.list, 0o600)
	write(s.t, filepath.Join(to, "good.pem"), s.good.certificate, 0o600)
	write(s.t, filepath.Join(to, "bad.pem"), s.bad.certificate, 0o600)
	m := built(s.t, to)
	for name, c := range m.configMaps { // as the kubelet has them
		s.mounts[name] = s.t.TempDir()
		for file, content := range c.Data {
			write(s.t, filepath.Join(s.mounts[name], file), content, 0o644)
		}
	}
	return m
}

// dayPasses makes what lies on the volume a day older.
func (s *site) dayPasses() {
	stamp := regexp.MustCompile(`("(?:began|ended)": ")([^"]+)"`)
	err := filepath.WalkDir(s.mounts["conform-shard-reports"], func(path string, d os.DirEntry, err error) error {
		if err != nil || d.Name() != "merge.json" {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		older := stamp.ReplaceAllFunc(content, func(found []byte) []byte {
			parts := stamp.FindSubmatch(found)
			at, err := time.Parse(time.RFC3339Nano, string(parts[2]))
			if err != nil {
				s.t.Fatal(err)
			}
			return []byte(string(parts[1]) + at.Add(-24*time.Hour).Format(time.RFC3339Nano) + `"`)
		})
		return os.WriteFile(path, older, 0o600)
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// TestNights plays nights on one volume, with each fault, and ten with faults at random: no night is green that has a target missing or failing, and none is red for
// an eviction.
func TestNights(t *testing.T) {
	s := newSite(t)
	m := s.applied("shards", func(file, text string) string {
		return strings.Replace(text, "completions: 3 ", "completions: 4 ", 1) // the one place to change
	})
	shards, merge := m.cronJobs["conform-shards"].Spec.JobTemplate.Spec, m.cronJobs["conform-merge"].Spec.JobTemplate.Spec
	config := s.mounts[shards.Template.Spec.Volumes[0].ConfigMap.Name]
	seed := rand.Uint64()
	t.Logf("the seed is %d", seed)
	random := func(night uint64) func(index, attempt int) fault {
		return func(index, attempt int) fault {
			r := rand.New(rand.NewPCG(seed, night<<32|uint64(index)<<16|uint64(attempt)))
			return []fault{well, well, well, evicted, evicted, killed, killed, starved, never}[r.IntN(9)]
		}
	}
	first := func(f fault, attempts int, of ...int) func(index, attempt int) fault {
		return func(index, attempt int) fault {
			if slices.Contains(of, index) && attempt < attempts {
				return f
			}
			return well
		}
	}
	type night struct {
		mode    string
		faults  func(index, attempt int) fault
		changes bool // the list changes while the shards run
		code    int  // -1: whatever it must be
	}
	nights := []night{
		{"", nil, false, 0},
		{"", first(evicted, 2, 0, 1, 2), false, 0},
		{"", first(killed, 2, 1), false, 0},
		{"", first(starved, 9, 2), false, 3},
		{"nonconformant", nil, false, 1},
		{"nonconformant", first(starved, 9, 0), false, -1},
		{"dead", nil, false, 4},
		{"", first(never, 1, 3), false, 3},
		{"", first(evicted, 1, 3), true, 2},
	}
	for i := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, i))
		nights = append(nights, night{[]string{"", "", "nonconformant", "dead"}[r.IntN(4)], random(i), false, -1})
	}
	for night, n := range nights {
		s.bad.mode, s.faults = n.mode, n.faults
		changed := false
		s.beforePod = func(index, attempt int) {
			if n.changes && index == 3 && attempt > 0 { // its first pod was evicted
				write(t, filepath.Join(config, "targets.yaml"), s.list+"# changed\n", 0o644)
				changed = true
			}
		}
		codes, _, ended := s.job(shards, fmt.Sprintf("conform-shards-%d", 29384700+night), seed+uint64(night))
		s.faults, s.beforePod = nil, nil
		mergeCodes, logs, _ := s.job(merge, fmt.Sprintf("conform-merge-%d", 29384700+night), seed)
		code := mergeCodes[0]
		green := ended && n.mode == "" && !changed
		t.Logf("night %d, %s: shards %v, all to their end: %v; the merge ends with %d\n%s", night, n.mode, codes, ended, code, tail(logs))
		switch {
		case (code == 0) != green:
			t.Errorf("night %d ends with %d; green would be right: %v", night, code, green)
		case n.code >= 0 && code != n.code:
			t.Errorf("night %d ends with %d, expected %d", night, code, n.code)
		}
		write(t, filepath.Join(config, "targets.yaml"), s.list, 0o644)
		s.dayPasses()
	}
}

func tail(logs []string) string {
	lines := strings.Split(strings.TrimSpace(strings.Join(logs, "")), "\n")
	return strings.Join(lines[max(0, len(lines)-4):], "\n")
}

// TestOneNight plays a night of each other manifest: one pod, and shards whose matrices are in their logs.
func TestOneNight(t *testing.T) {
	s := newSite(t)
	m := s.applied("base", nil)
	codes, logs, _ := s.job(m.cronJobs["conform"].Spec.JobTemplate.Spec, "conform-29384700", 1)
	if text := tail(logs); codes[0] != 0 || !strings.Contains(text, "conformant: 10 targets") {
		t.Errorf("one pod: %v, %s", codes, text)
	}
	content, err := os.ReadFile(filepath.Join(kubernetes, "job.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	job := strictly(t, bytes.ReplaceAll(content, []byte("=6"), []byte("=4"))).jobs[0]
	*job.Spec.Completions = 4
	for _, v := range job.Spec.Template.Spec.Volumes {
		if v.ConfigMap != nil {
			for name := range m.configMaps {
				v.ConfigMap.Name = name
			}
		}
	}
	s.bad.mode = "nonconformant"
	s.faults = func(index, attempt int) fault {
		if attempt == 0 && index < 2 {
			return evicted
		}
		return well
	}
	codes, logs, _ = s.job(job.Spec, "conform-x7k2p", 1)
	dir := t.TempDir()
	args := []string{"report", "merge"}
	for i, text := range logs {
		path := filepath.Join(dir, fmt.Sprintf("pod-%d.log", i))
		write(t, path, text, 0o600)
		args = append(args, path)
	}
	merged, _ := exec.Command(program, args...).Output()
	if !strings.Contains(string(merged), "nonconformant: 10 targets, ") || strings.Contains(string(merged), "missing") {
		t.Errorf("shards %v: %s", codes, merged)
	}
}
