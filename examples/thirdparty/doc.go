// Package thirdparty holds what lives outside of Cloudbus and runs in it: the kind loadbalancer and the plugin tenantchanges.
package thirdparty
