import { texts } from 'types.bicep'

metadata description = 'Front Door with a web application firewall: the one way in from the internet, where it is wanted.'

@description('Tags of every resource.')
param tags texts

@description('Name of the profile.')
param profileName string

@description('Name of the endpoint, which begins the name that the API is reached by.')
param endpointName string

@description('Name of the firewall policy, letters and digits.')
param policyName string

@description('Detection writes down what it would refuse; Prevention refuses it.')
param mode 'Detection' | 'Prevention'

@description('Id of the workspace that diagnostics go to.')
param workspaceId string

// The rules that Microsoft keeps belong to Premium.
resource profile 'Microsoft.Cdn/profiles@2025-12-01' = {
  name: profileName
  location: 'global'
  tags: tags
  sku: { name: 'Premium_AzureFrontDoor' }
  // Streams have a heartbeat every 15 s; this is the longest silence that is offered.
  properties: { originResponseTimeoutSeconds: 240 }

  resource endpoint 'afdEndpoints' = {
    name: endpointName
    location: 'global'
    tags: tags
    properties: { enabledState: 'Enabled' }
  }

  resource security 'securityPolicies' = {
    name: 'firewall'
    properties: {
      parameters: {
        type: 'WebApplicationFirewall'
        wafPolicy: { id: policy.id }
        associations: [{ domains: [{ id: endpoint.id }], patternsToMatch: ['/*'] }]
      }
    }
  }
}

resource policy 'Microsoft.Network/FrontDoorWebApplicationFirewallPolicies@2025-11-01' = {
  name: policyName
  location: 'global'
  tags: tags
  sku: { name: 'Premium_AzureFrontDoor' }
  properties: {
    policySettings: { enabledState: 'Enabled', mode: mode, requestBodyCheck: 'Enabled' }
    managedRules: {
      managedRuleSets: [
        { ruleSetType: 'Microsoft_DefaultRuleSet', ruleSetVersion: '2.1', ruleSetAction: 'Block' }
        { ruleSetType: 'Microsoft_BotManagerRuleSet', ruleSetVersion: '1.1' }
      ]
    }
  }
}

#disable-next-line use-recent-api-versions
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: profile
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'FrontDoorWebApplicationFirewallLog', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Id that Front Door writes into the header X-Azure-FDID.')
output frontDoorId string = profile.properties.frontDoorId

@description('Name that the API is reached by.')
output host string = profile::endpoint.properties.hostName
