import { texts } from 'types.bicep'

metadata description = 'The network in which the app meets its data; in a private one it also leaves through one fixed address.'

@description('Region of every resource.')
param location string

@description('Tags of every resource.')
param tags texts

@description('Name of the virtual network.')
param networkName string

@description('Addresses of the network; a /22 or larger.')
param addressPrefix string

@description('Whether everything is private: then there is one address to leave by, and a place to migrate from.')
param private bool

@description('Names of the private DNS zones that the endpoints need.')
param dnsZoneNames string[]

@description('Id of the workspace that diagnostics go to.')
param workspaceId string

@description('Subnets by name: what each is for, and which service it is lent to.')
var subnets = concat(
  [
    { name: 'snet-app', index: 0, delegation: 'Microsoft.App/environments' }
    { name: 'snet-endpoints', index: 1, delegation: '' }
  ],
  private
    ? [
        // The container that migrates the database, which is reached only from in here.
        { name: 'snet-migration', index: 2, delegation: 'Microsoft.ContainerInstance/containerGroups' }
        // A runner of GitHub's that migrates instead of it.
        { name: 'snet-runners', index: 3, delegation: 'GitHub.Network/networkSettings' }
      ]
    : []
)

resource egressAddress 'Microsoft.Network/publicIPAddresses@2025-09-01' = if (private) {
  name: 'pip-${networkName}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static' }
}

resource egress 'Microsoft.Network/natGateways@2025-09-01' = if (private) {
  name: 'ng-${networkName}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIpAddresses: [{ id: egressAddress.id }] }
}

resource guard 'Microsoft.Network/networkSecurityGroups@2025-09-01' = {
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

resource network 'Microsoft.Network/virtualNetworks@2025-09-01' = {
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
          natGateway: private ? { id: egress.id } : null
          networkSecurityGroup: { id: guard.id }
          defaultOutboundAccess: false
          privateEndpointNetworkPolicies: 'Enabled'
          delegations: empty(subnet.delegation)
            ? []
            : [{ name: 'lent', properties: { serviceName: subnet.delegation } }]
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
resource egressDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (private) {
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

@description('Subnet of the container that migrates the database; empty where it is migrated from outside.')
output migrationSubnetId string = private ? '${network.id}/subnets/snet-migration' : ''

@description('Address that the app is seen from, for the allow-lists of others; empty where it has none of its own.')
output egressAddress string = private ? egressAddress!.properties.ipAddress : ''
