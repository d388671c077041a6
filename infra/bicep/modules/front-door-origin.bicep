metadata description = 'The way from Front Door to the app. Apart from the profile, whose id the app must know first.'

@description('Name of the profile.')
param profileName string

@description('Name of the endpoint.')
param endpointName string

@description('Name that the app is reached by.')
param appHost string

resource profile 'Microsoft.Cdn/profiles@2025-12-01' existing = {
  name: profileName

  resource endpoint 'afdEndpoints' existing = {
    name: endpointName
  }
}

resource group 'Microsoft.Cdn/profiles/originGroups@2025-12-01' = {
  parent: profile
  name: 'app'
  properties: {
    sessionAffinityState: 'Disabled'
    loadBalancingSettings: { sampleSize: 4, successfulSamplesRequired: 2, additionalLatencyInMilliseconds: 50 }
  }

  resource origin 'origins' = {
    name: 'app'
    properties: {
      hostName: appHost
      originHostHeader: appHost
      httpsPort: 443
      enabledState: 'Enabled'
      enforceCertificateNameCheck: true
    }
  }
}

resource route 'Microsoft.Cdn/profiles/afdEndpoints/routes@2025-12-01' = {
  parent: profile::endpoint
  name: 'api'
  properties: {
    originGroup: { id: group.id }
    supportedProtocols: ['Https']
    patternsToMatch: ['/*']
    forwardingProtocol: 'HttpsOnly'
    httpsRedirect: 'Disabled'
    linkToDefaultDomain: 'Enabled'
    enabledState: 'Enabled'
  }
  dependsOn: [group::origin]
}
