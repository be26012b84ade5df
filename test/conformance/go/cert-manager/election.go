package main

import (
	"time"

	"github.com/spf13/pflag"
)

// election has cert-manager's own defaults (internal/apis/config/shared/v1alpha1/defaults.go).
type election struct {
	enabled       bool
	namespace     string
	leaseDuration time.Duration
	renewDeadline time.Duration
	retryPeriod   time.Duration
}

func electionFlags(flags *pflag.FlagSet) *election {
	e := &election{}
	flags.BoolVar(&e.enabled, "leader-elect", true, "work only while holding the lease")
	flags.StringVar(&e.namespace, "leader-election-namespace", "kube-system", "namespace of the lease")
	flags.DurationVar(&e.leaseDuration, "leader-election-lease-duration", 60*time.Second, "how long others wait for a holder that is silent")
	flags.DurationVar(&e.renewDeadline, "leader-election-renew-deadline", 40*time.Second, "how long the holder tries to renew")
	flags.DurationVar(&e.retryPeriod, "leader-election-retry-period", 15*time.Second, "time between two tries")
	return e
}
