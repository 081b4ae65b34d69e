package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"os"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// How to reach a server that asks who comes: CLIENT_OPTIONS in the environment, in JSON.
type security struct {
	Authority, User, Password, Token string
}

func securityOptions() ([]kgo.Opt, error) {
	text := os.Getenv("CLIENT_OPTIONS")
	if text == "" {
		return nil, nil
	}
	var s security
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(s.Authority)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("no certificate in " + s.Authority)
	}
	options := []kgo.Opt{kgo.DialTLSConfig(&tls.Config{RootCAs: roots})}
	if s.Token != "" {
		return append(options, kgo.SASL(oauth.Auth{Token: s.Token}.AsMechanism())), nil
	}
	return append(options, kgo.SASL(scram.Auth{User: s.User, Pass: s.Password}.AsSha256Mechanism())), nil
}
