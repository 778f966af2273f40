// Package e2e runs unmodified clients against the gramme binary: boto3 (python/), the AWS CLI, and the AWS SDK for JavaScript
// with two mappers over it, ElectroDB and OneTable (js/). Its tests have the build tag e2e, for they need these clients; make
// deps installs what is lacking, and make e2e runs them. A client that is not there is an error, never a skipped test.
package e2e
