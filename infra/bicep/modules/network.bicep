import { texts } from 'types.bicep'

metadata description = 'The private network: the app leaves through one fixed address and meets its data only inside.'

@description('Region of every resource.')
param location string

@description('Tags of every resource.')
param tags texts

@description('Name of the virtual network.')
param networkName string

@description('Addresses of the network; a /22 or larger.')
param addressPrefix string

@description('Names of the private DNS zones that the endpoints need.')
param dnsZoneNames string[]

@description('Id of the workspace that diagnostics go to.')
param workspaceId string

@description('Subnets by name: what each is for, and which service it is lent to.')
var subnets = [
  { name: 'snet-app', index: 0, delegation: 'Microsoft.App/environments' }
  { name: 'snet-endpoints', index: 1, delegation: '' }
  // For a build runner that migrates the database, since the database is reached only from in here.
  { name: 'snet-runners', index: 2, delegation: '' }
]

resource egressAddress 'Microsoft.Network/publicIPAddresses@2026-03-01' = {
  name: 'pip-${networkName}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static' }
}

resource egress 'Microsoft.Network/natGateways@2026-03-01' = {
  name: 'ng-${networkName}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIpAddresses: [{ id: egressAddress.id }] }
}

resource guard 'Microsoft.Network/networkSecurityGroups@2026-03-01' = {
  name: 'nsg-${networkName}'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'deny-internet-inbound'
        properties: {
          priority: 4000
          direction: 'Inbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: 'Internet'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2026-03-01' = {
  name: networkName
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [
      for subnet in subnets: {
        name: subnet.name
        properties: {
          addressPrefixes: [cidrSubnet(addressPrefix, 24, subnet.index)]
          natGateway: { id: egress.id }
          networkSecurityGroup: { id: guard.id }
          defaultOutboundAccess: false
          privateEndpointNetworkPolicies: 'Enabled'
          delegations: empty(subnet.delegation)
            ? []
            : [{ name: 'functions', properties: { serviceName: subnet.delegation } }]
        }
      }
    ]
  }
}

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for name in dnsZoneNames: {
    name: name
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (name, i) in dnsZoneNames: {
    parent: zones[i]
    name: networkName
    location: 'global'
    tags: tags
    properties: {
      virtualNetwork: { id: network.id }
      registrationEnabled: false
    }
  }
]

#disable-next-line use-recent-api-versions
resource networkDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: network
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

#disable-next-line use-recent-api-versions
resource guardDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: guard
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
  }
}

#disable-next-line use-recent-api-versions
resource egressDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: egressAddress
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Subnet that the app leaves through.')
output appSubnetId string = '${network.id}/subnets/snet-app'

@description('Subnet of the private endpoints.')
output endpointSubnetId string = '${network.id}/subnets/snet-endpoints'

@description('Address that the app is seen from, for the allow-lists of others.')
output egressAddress string = egressAddress.properties.ipAddress
