package main

import (
	"context"

	"github.com/spf13/pflag"
	admissionregistration "k8s.io/api/admissionregistration/v1"
	core "k8s.io/api/core/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/cert-manager/cert-manager/internal/kube"
	"github.com/cert-manager/cert-manager/pkg/api"
	"github.com/cert-manager/cert-manager/pkg/controller/cainjector"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/util"
)

// The lease that the released Role allows.
const cainjectorLease = "cert-manager-cainjector-leader-election"

func cainjectorProcess(flags *pflag.FlagSet) func(ctx context.Context) error {
	logs := logging(flags)
	lease := electionFlags(flags)
	kubeconfig := flags.String("kubeconfig", "", "kubeconfig file; without it, the Pod's own account")
	metricsAddress := flags.String("metrics-listen-address", "0.0.0.0:9402", "address of /metrics")

	return func(ctx context.Context) error {
		if err := logf.ValidateAndApply(logs); err != nil {
			return err
		}
		ctrl.SetLogger(logf.FromContext(ctx))
		scheme := runtime.NewScheme()
		for _, add := range []func(*runtime.Scheme) error{
			api.AddToScheme, core.AddToScheme, admissionregistration.AddToScheme, apiextensions.AddToScheme,
			apiregistration.AddToScheme,
		} {
			if err := add(scheme); err != nil {
				return err
			}
		}
		config, err := kube.BuildClientConfig("", *kubeconfig)
		if err != nil {
			return err
		}
		manager, err := ctrl.NewManager(util.RestConfigWithUserAgent(config, "cainjector"), ctrl.Options{
			Scheme:                        scheme,
			LeaderElection:                lease.enabled,
			LeaderElectionID:              cainjectorLease,
			LeaderElectionNamespace:       lease.namespace,
			LeaderElectionReleaseOnCancel: true,
			LeaseDuration:                 &lease.leaseDuration,
			RenewDeadline:                 &lease.renewDeadline,
			RetryPeriod:                   &lease.retryPeriod,
			Metrics:                       server.Options{BindAddress: *metricsAddress},
			// Secrets are watched by their metadata only; what is read of them comes from the API server each time.
			Cache:  cache.Options{ReaderFailOnMissingInformer: true},
			Client: client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&core.Secret{}}}},
		})
		if err != nil {
			return err
		}
		err = cainjector.RegisterAllInjectors(ctx, manager, cainjector.SetupOptions{
			EnableCertificatesDataSource: true,
			EnabledReconcilersFor: map[string]bool{
				cainjector.MutatingWebhookConfigurationName:   true,
				cainjector.ValidatingWebhookConfigurationName: true,
				cainjector.APIServiceName:                     true,
				cainjector.CustomResourceDefinitionName:       true,
			},
		})
		if err != nil {
			return err
		}
		return manager.Start(ctx)
	}
}
