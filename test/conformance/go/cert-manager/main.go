// Program cert-manager runs one of cert-manager's three processes, named by its first argument; the other arguments
// are those of the released Deployment.
//
// The mains of cert-manager are Go modules without versions, so no module proxy has them. The controllers, the
// injector and the webhook are in its root module, and this program only starts them. It stands in for the three
// mains in two ways: only self-signed and CA issuers are there, and settings come from flags alone.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	logsapi "k8s.io/component-base/logs/api/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/util"
)

// A process reads its own flags and returns what runs until the context ends.
type process func(flags *pflag.FlagSet) func(ctx context.Context) error

var processes = map[string]process{
	"controller": controllerProcess,
	"cainjector": cainjectorProcess,
	"webhook":    webhookProcess,
}

func main() {
	if slices.Contains(os.Args[1:], "--version") {
		fmt.Println(util.VersionInfo().GitVersion)
		return
	}
	name, arguments := "", []string{}
	if len(os.Args) > 1 {
		name, arguments = os.Args[1], os.Args[2:]
	}
	start, known := processes[name]
	if !known {
		fmt.Fprintf(os.Stderr, "usage: %s controller|cainjector|webhook [FLAGS], got %q\n", os.Args[0], name)
		os.Exit(2)
	}
	flags := pflag.NewFlagSet(name, pflag.ExitOnError)
	run := start(flags)
	// ExitOnError: it does not return an error.
	_ = flags.Parse(arguments)
	ctx := logf.NewContext(ctrl.SetupSignalHandler(), logf.Log, name)
	err := run(ctx)
	logf.FlushLogs()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %s\n", name, strings.TrimSpace(err.Error()))
		os.Exit(1)
	}
}

// logging adds the flags that say how much is logged, for a process whose configuration has none.
func logging(flags *pflag.FlagSet) *logsapi.LoggingConfiguration {
	configuration := logsapi.NewLoggingConfiguration()
	logf.AddFlagsNonDeprecated(configuration, flags)
	return configuration
}
