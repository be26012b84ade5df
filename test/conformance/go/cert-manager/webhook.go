package main

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/cert-manager/cert-manager/internal/webhook"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/webhook/options"
)

func webhookProcess(flags *pflag.FlagSet) func(ctx context.Context) error {
	configuration, err := options.NewWebhookConfiguration()
	if err == nil {
		options.AddConfigFlags(flags, configuration)
	}
	return func(ctx context.Context) error {
		if err != nil {
			return err
		}
		if err := logf.ValidateAndApply(&configuration.Logging); err != nil {
			return err
		}
		server, err := webhook.NewCertManagerWebhookServer(logf.FromContext(ctx), *configuration)
		if err != nil {
			return err
		}
		return server.Run(ctx)
	}
}
