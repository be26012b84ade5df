package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/utils/clock"

	// Its feature gates are read by the controllers.
	_ "github.com/cert-manager/cert-manager/internal/controller/feature"
	"github.com/cert-manager/cert-manager/internal/kube"
	"github.com/cert-manager/cert-manager/pkg/acme/accounts"
	"github.com/cert-manager/cert-manager/pkg/controller"
	// Each of these enters itself in the table that controller.Known() returns.
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/metrics"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"
	"github.com/cert-manager/cert-manager/pkg/healthz"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/metrics"
)

// The lease that the released Role allows.
const controllerLease = "cert-manager-controller"

// Defaults of cert-manager (internal/apis/config/controller/v1alpha1/defaults.go). They are written down again because
// that package brings the client libraries of every DNS provider with it.
const (
	requestsPerSecond   = 20
	requestsBurst       = 50
	workersPerControl   = 5
	healthzLeaderMargin = 20 * time.Second
)

var copiedAnnotationPrefixes = []string{"*", "-kubectl.kubernetes.io/", "-fluxcd.io/", "-argocd.argoproj.io/"}

func controllerProcess(flags *pflag.FlagSet) func(ctx context.Context) error {
	logs := logging(flags)
	lease := electionFlags(flags)
	kubeconfig := flags.String("kubeconfig", "", "kubeconfig file; without it, the Pod's own account")
	resourceNamespace := flags.String("cluster-resource-namespace", "kube-system", "namespace of the Secrets of ClusterIssuers")
	metricsAddress := flags.String("metrics-listen-address", "0.0.0.0:9402", "address of /metrics")
	healthAddress := flags.String("internal-healthz-listen-address", "0.0.0.0:9403", "address of /livez")
	// The released Deployment has them; they have no effect without ACME issuers.
	flags.String("acme-http01-solver-image", "", "no effect: there are no ACME issuers")
	flags.Int("max-concurrent-challenges", 60, "no effect: there are no ACME issuers")

	return func(ctx context.Context) error {
		if err := logf.ValidateAndApply(logs); err != nil {
			return err
		}
		measured := metrics.New(logf.FromContext(ctx), clock.RealClock{})
		factory, err := controller.NewContextFactory(ctx, controller.ContextOptions{
			Kubeconfig:         *kubeconfig,
			KubernetesAPIQPS:   requestsPerSecond,
			KubernetesAPIBurst: requestsBurst,
			Clock:              clock.RealClock{},
			Metrics:            measured,
			ACMEOptions:        controller.ACMEOptions{AccountRegistry: accounts.NewDefaultRegistry()},
			IssuerOptions: controller.IssuerOptions{
				ClusterResourceNamespace:        *resourceNamespace,
				ClusterIssuerAmbientCredentials: true,
			},
			CertificateOptions: controller.CertificateOptions{CopiedAnnotationPrefixes: copiedAnnotationPrefixes},
		})
		if err != nil {
			return err
		}
		group, ctx := errgroup.WithContext(ctx)
		health := healthz.NewServer(healthzLeaderMargin)
		if err := serve(group, *healthAddress, func(listener net.Listener) error {
			return health.Start(ctx, listener)
		}); err != nil {
			return err
		}
		if err := serve(group, *metricsAddress, func(listener net.Listener) error {
			return serveMetrics(ctx, measured.NewServer(listener), listener)
		}); err != nil {
			return err
		}
		group.Go(func() error {
			if !lease.enabled {
				return runControllers(ctx, factory)
			}
			return elected(ctx, lease, *kubeconfig, health, func(ctx context.Context) error {
				return runControllers(ctx, factory)
			})
		})
		return group.Wait()
	}
}

func serve(group *errgroup.Group, address string, run func(net.Listener) error) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	group.Go(func() error { return run(listener) })
	return nil
}

func serveMetrics(ctx context.Context, server *http.Server, listener net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// runControllers returns when the context ends, or at the first error.
func runControllers(ctx context.Context, factory *controller.ContextFactory) error {
	shared, err := factory.Build()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	controllers := map[string]controller.Interface{}
	for name, construct := range controller.Known() {
		if controllers[name], err = construct(factory); err != nil {
			return fmt.Errorf("controller %s: %w", name, err)
		}
	}
	// Informers start after all controllers have asked for theirs.
	shared.SharedInformerFactory.Start(ctx.Done())
	shared.KubeSharedInformerFactory.Start(ctx.Done())
	shared.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	for name, one := range controllers {
		logf.FromContext(ctx).V(logf.InfoLevel).Info("starting controller", "controller", name)
		group.Go(func() error { return one.Run(workersPerControl, ctx) })
	}
	return group.Wait()
}

// elected runs while this process holds the lease. To lose it is an error: the kubelet starts the process again.
func elected(ctx context.Context, settings *election, kubeconfig string, health *healthz.Server, run func(context.Context) error) error {
	config, err := kube.BuildClientConfig("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	lock, err := resourcelock.New(
		resourcelock.LeasesResourceLock, settings.namespace, controllerLease,
		client.CoreV1(), client.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: fmt.Sprintf("%s-%d", host, os.Getpid())},
	)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	leading, stop := context.WithCancel(ctx)
	defer stop()
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:            lock,
		LeaseDuration:   settings.leaseDuration,
		RenewDeadline:   settings.renewDeadline,
		RetryPeriod:     settings.retryPeriod,
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) {
				ended <- run(ctx)
				stop()
			},
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return err
	}
	health.LeaderHealthzAdaptor.SetLeaderElection(elector)
	elector.Run(leading)
	select {
	case err = <-ended:
	case <-time.After(5 * time.Second):
		// It never led, or its controllers do not stop: the process ends anyway.
	}
	if err == nil && ctx.Err() == nil {
		return errors.New("the lease is lost")
	}
	return err
}
